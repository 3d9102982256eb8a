"""Online self-training with a mean teacher: averages, mixing and weights by plain formulas; a resume to the bytes."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from esl.data.stream import Stream
from esl.models.build import build_network
from esl.models.execution import checkpoint_activations
from esl.models.logits import Logits
from esl.training.feed import Streams
from esl.training.loop import train
from esl.training.losses import weighted_pixel_loss
from esl.training.resume import Saving
from esl.training.settings import TrainSettings
from esl.training.terms.base import NO_LOGITS, TargetBatch, TermContext
from esl.training.terms.ema.settings import EmaSettings
from esl.training.terms.ema.teacher import Teacher
from esl.training.terms.ema.term import Ema
from esl.training.terms.ema.views import pasted_classes

CLASSES = 4
TrainSettingsOf = Callable[..., TrainSettings]
PLAIN: dict[str, Any] = {"colour": 0.0, "blur": 0.0}


class Colours(nn.Module):
    """Logits at stride 1: for each class a fixed, learnable weighing of the pixel's colour, normalised."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, CLASSES, 1))
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Logits:
        self.seen.append(x.detach().clone())
        main = self.layers(x)
        return Logits(main, 2 * main)


def _term(fabric: Fabric, network: nn.Module, **settings: Any) -> Ema:
    context = TermContext(network, network, fabric, 1, lambda iteration: 1, 0.1)
    return Ema(EmaSettings.model_validate(PLAIN | settings), context)


def _batch(iteration: int = 0, targets: int = 2, sources: int = 2) -> TargetBatch:
    generator = torch.Generator().manual_seed(1)

    def images(number: int) -> Tensor:
        return torch.randint(0, 256, (number, 3, 8, 16), generator=generator, dtype=torch.uint8)

    label = torch.randint(0, CLASSES + 1, (sources, 8, 16), generator=generator, dtype=torch.uint8)
    label[label == CLASSES] = 255
    ignored = torch.full((targets, 8, 16), 255, dtype=torch.uint8)
    return TargetBatch(iteration, images(targets), ignored, NO_LOGITS, images(sources), label, NO_LOGITS)


# ------------------------------------------------------------------------------------------------------- the teacher


@pytest.mark.parametrize("statistics", ["average", "copy"])
def test_the_teacher_is_the_moving_average_of_the_student(fabric: Fabric, statistics: Any) -> None:
    """By the formula in float64: the mean of all states at first, then alpha of the old one."""
    student = Colours()
    teacher = Teacher(student, fabric, alpha=0.7, statistics=statistics)
    expected = {name: value.double().numpy() for name, value in copy.deepcopy(student).state_dict().items()}
    for step in range(1, 7):
        with torch.no_grad():
            for value in student.state_dict().values():
                value.add_(1) if value.dtype == torch.int64 else value.mul_(0.9).add_(0.01 * step)
        teacher.follow(step)
        alpha = min(1 - 1 / (step + 1), 0.7)
        for name, value in student.state_dict().items():
            copied = name.endswith("tracked") or (statistics == "copy" and "running" in name)
            own = 0 if copied else alpha
            expected[name] = own * expected[name] + (1 - own) * value.double().numpy()
    for name, value in teacher.state_dict().items():
        np.testing.assert_allclose(value.double().numpy(), expected[name], rtol=1e-5, err_msg=name)


def test_a_teacher_that_never_forgets_is_the_mean_of_all_students(fabric: Fabric) -> None:
    student = Colours()
    states = [student.layers[0].bias.detach().clone()]
    teacher = Teacher(student, fabric, alpha=0.999)
    for step in range(1, 6):
        student.layers[0].bias.data.normal_()
        states.append(student.layers[0].bias.detach().clone())
        teacher.follow(step)
    torch.testing.assert_close(teacher.network.layers[0].bias, torch.stack(states).mean(dim=0))  # type: ignore[index]


def test_only_its_own_batches_move_the_statistics_of_a_teacher_that_normalises_by_them(fabric: Fabric) -> None:
    student, image = Colours(), _batch().image
    teacher = Teacher(student, fabric, alpha=0.9, statistics="batch")
    student.layers[1].running_mean.fill_(7)
    teacher.follow(1)
    assert teacher.network.layers[1].running_mean.eq(0).all()  # type: ignore[index]
    teacher.network.layers[1].running_mean.fill_(1e6)  # type: ignore[index]
    by_batch = Colours().train()(image / 255).main.softmax(dim=1)
    student.layers[1].running_mean.zero_()
    teacher = Teacher(student, fabric, alpha=0.9, statistics="batch")
    torch.testing.assert_close(teacher.probability(image), by_batch)


def test_a_mirrored_image_has_the_mirrored_mean_prediction(fabric: Fabric) -> None:
    student, image = build_network("small", CLASSES), _batch().image
    teacher = Teacher(student, fabric, alpha=0.9, flip=True)
    torch.testing.assert_close(teacher.probability(image.flip(-1)), teacher.probability(image).flip(-1))
    plain = Teacher(student, fabric, alpha=0.9)
    assert not torch.allclose(plain.probability(image.flip(-1)), plain.probability(image).flip(-1), atol=1e-4)


def test_the_teacher_of_a_network_with_recomputed_activations_is_its_own(fabric: Fabric) -> None:
    """A copied block must call itself, not the student's block."""
    student = build_network("small", CLASSES)
    checkpoint_activations(student)
    teacher, image = Teacher(student, fabric, alpha=0.9), _batch().image
    before = teacher.probability(image)
    for parameter in student.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(teacher.probability(image), before)


# ---------------------------------------------------------------------------------------------------------- the loss


def test_the_weighted_loss_is_that_of_the_plain_formula() -> None:
    torch.manual_seed(0)
    logits, label, weight = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5)), torch.rand(2, 4, 5)
    label[0, 0] = 255
    log = logits.log_softmax(dim=1)
    total = sum(
        -weight[n, y, x] * log[n, label[n, y, x], y, x]
        for n in range(2) for y in range(4) for x in range(5) if label[n, y, x] != 255
    )  # fmt: skip
    torch.testing.assert_close(weighted_pixel_loss(logits, label, weight), total / 40)


@pytest.mark.parametrize("weighting", ["share", "pixel", "none"])
@pytest.mark.parametrize("sources", [1, 2])
def test_the_loss_on_mixed_images_is_that_of_pixel_by_pixel_mixing(
    fabric: Fabric, weighting: str, sources: int
) -> None:
    """The images that the student sees, the labels and the weights, each by loops over pixels."""
    student, batch = Colours(), _batch(sources=sources)
    reference = copy.deepcopy(student)
    confidence, label = copy.deepcopy(student).eval()(batch.image / 255).main.softmax(dim=1).max(dim=1)
    threshold = confidence.median().item()
    term = _term(fabric, student, weighting=weighting, confidence=threshold, weight=0.5)
    torch.manual_seed(3)
    loss = term.loss(batch)
    torch.manual_seed(3)
    source_label = torch.stack([batch.source_label[n % sources] for n in range(2)])
    pasted = pasted_classes(source_label)
    share = (confidence > threshold).float().mean().item()
    assert 0 < share < 1 and 0 < pasted.float().mean() < 1
    image, weight = batch.image.clone(), torch.ones(2, 8, 16)
    for n in range(2):
        for y in range(8):
            for x in range(16):
                if pasted[n, y, x]:
                    image[n, :, y, x] = batch.source_image[n % sources, :, y, x]
                    label[n, y, x] = source_label[n, y, x]
                else:
                    confident = float(confidence[n, y, x] > threshold)
                    weight[n, y, x] = {"share": share, "pixel": confident, "none": 1.0}[weighting]
    assert torch.equal(student.seen[-1], image / 255)
    main, auxiliary = reference.train()(image / 255)
    expected = weighted_pixel_loss(main, label, weight) + 0.1 * weighted_pixel_loss(auxiliary, label, weight)
    torch.testing.assert_close(loss, 0.5 * expected)


def test_masked_images_add_their_loss_against_the_same_labels(fabric: Fabric) -> None:
    student, batch = Colours(), _batch()
    settings: dict[str, Any] = {"mix": "none", "weighting": "none"}
    plain = _term(fabric, student, **settings).loss(batch).item()
    both = _term(fabric, student, **settings, mask_ratio=0.7, mask_block=4, mask_weight=0.5).loss(batch).item()
    label = copy.deepcopy(student).eval()(batch.image / 255).main.argmax(dim=1)
    main, auxiliary = copy.deepcopy(student)(student.seen[-1])
    assert not torch.equal(student.seen[-1], batch.image / 255)
    ones = torch.ones(2, 8, 16)
    masked_loss = weighted_pixel_loss(main, label, ones) + 0.1 * weighted_pixel_loss(auxiliary, label, ones)
    assert both == pytest.approx(plain + 0.5 * masked_loss.item(), rel=1e-5)
    only = _term(fabric, student, **settings, mask_ratio=0.7, mask_block=4, weight=0)
    passes = len(student.seen)
    only.loss(batch)
    assert len(student.seen) == passes + 1


# ------------------------------------------------------------------------------------------------------ the training


def _same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def _bytes(weights: Mapping[str, Tensor]) -> bytes:
    return b"".join(value.numpy().tobytes() for value in weights.values())


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        ({"statistics": "average", "final": "teacher"}, 3),
        ({"statistics": "batch", "mask_ratio": 0.5, "mask_block": 4, "flip": True}, 4),
    ],
)
def test_an_interrupted_training_ends_in_the_same_weights(
    tiny: Any, run: Any, source: Stream, unlabelled: Stream, settings: dict[str, Any], passes: int
) -> None:
    """The passes of the student in an iteration: source, target without gradients, mixed, masked."""
    whole, resumed = tiny(dropout=0.2), tiny(dropout=0.2)
    term: dict[str, Any] = {"term": "ema", "term_settings": settings}
    expected = run(whole, source, unlabelled, **term)
    assert expected[0]["adaptation_loss"] > 0 and expected[0]["target_loss"] == 0
    dying = tiny(dies_at=5 * passes / 2, dropout=0.2)
    with pytest.raises(KeyboardInterrupt):
        run(dying, source, unlabelled, every=2, **term)
    assert dying._passes == 5 * passes
    assert run(resumed, source, unlabelled, every=2, **term) == expected
    assert _same(resumed, whole)


def test_checkpoint_and_snapshots_may_hold_the_teacher_and_the_training_does_not_notice(
    tmp_path: Path, tiny: Any, fabric: Fabric, source: Stream, unlabelled: Stream, train_settings: TrainSettingsOf
) -> None:
    """With alpha 0 the teacher is the last student; with 0.9 it is not, though the student learns the same."""
    states = []
    for final, alpha in (("student", 0.0), ("teacher", 0.0), ("student", 0.9), ("teacher", 0.9)):
        network, kept = tiny(), list[bytes]()
        settings = train_settings(
            crop="16x8", iterations=4, target_batch=2, term="ema",
            term_settings={"final": final, "alpha": alpha, "weighting": "none"},
        )  # fmt: skip
        saving = Saving(tmp_path / "last.pt", 1000, {}, 2, lambda i, weights, k=kept: k.append(_bytes(weights)))  # type: ignore[misc]
        rows = train(network, Streams(source, unlabelled), settings, fabric=fabric, workers=0, saving=saving)
        states.append(([*kept, _bytes(network.state_dict())], rows))
    assert states[0] == states[1]
    assert states[2][1] == states[3][1] and len(states[2][0]) == 2
    assert all(student != teacher for student, teacher in zip(states[2][0], states[3][0], strict=True))


@pytest.mark.parametrize(("batch_norm", "own"), [("per_domain", True), ("shared", False)])
def test_the_statistics_of_per_domain_batch_norm_are_those_of_plain_target_images(
    tiny: Any, run: Any, source: Stream, dark: Stream, monkeypatch: pytest.MonkeyPatch, batch_norm: str, own: bool
) -> None:
    """Black target images have features 0; source pixels that are pasted on them do not."""
    network = tiny()
    monkeypatch.setattr(type(dark), "labelled", False)
    run(network, source, dark, learning_rate=1e-9, iterations=60, batch_norm=batch_norm, term="ema")
    assert (network.layers[1].running_mean.abs().max().item() < 2e-3) == own
