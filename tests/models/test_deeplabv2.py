"""DeepLab v2 against the published network: its numbers, its names, its sizes, and what is trained."""

import pytest
import torch
import torchvision
from torch import Tensor

from esl.errors import InputError
from esl.models.network import as_input
from esl.models.networks.deeplabv2 import RESNET101, DeepLabV2, Form
from tests.models.published_deeplabv2 import CLASSES, QUICK, TRUNK, classified, described, drawn, published

Blocks = tuple[int, int, int, int]
TWO_OF_EACH: Blocks = (2, 2, 2, 2)  # a block that projects its input, and one that does not


def assert_same_logits(actual: Tensor | None, expected: Tensor) -> None:
    """Equal to 1e-5 of the largest logit, and not all alike."""
    assert actual is not None and actual.dtype == torch.float32
    assert expected.std() > 0.05 * expected.abs().max()
    largest = expected.abs().max().item()
    torch.testing.assert_close(actual.double(), expected.double(), rtol=0, atol=1e-5 * largest)


def random_image(height: int, width: int, count: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(height)
    return as_input(torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator))


@pytest.fixture(scope="module")
def full_state() -> dict[str, Tensor]:
    return drawn(described(CLASSES))


@pytest.mark.parametrize(
    ("form", "size_hw", "blocks"),
    [
        ("caffe", (65, 97), RESNET101),
        ("caffe", (36, 212), TWO_OF_EACH),  # 5 x 27 at the stride: every dilation sees more than its middle
        ("torchvision", (36, 212), TWO_OF_EACH),
        pytest.param("caffe", (36, 212), RESNET101, marks=pytest.mark.slow),
        pytest.param("torchvision", (36, 212), RESNET101, marks=pytest.mark.slow),
    ],
)
def test_logits_are_those_of_the_published_network(
    form: Form, size_hw: tuple[int, int], blocks: Blocks, full_state: dict[str, Tensor]
) -> None:
    state = {name: full_state[name] for name in described(CLASSES, blocks=blocks)}
    network = DeepLabV2(CLASSES, form=form, blocks=blocks).eval()
    network.load_state_dict(state)
    image = random_image(*size_hw)
    with torch.inference_mode():
        logits = network(image)
        main, auxiliary = published(state, image, form)
    assert_same_logits(logits.main, main)
    assert_same_logits(logits.auxiliary, auxiliary)


def test_the_torchvision_form_has_torchvisions_features(full_state: dict[str, Tensor]) -> None:
    theirs = torchvision.models.resnet101(replace_stride_with_dilation=[False, True, True]).eval()
    trunk = {name: value for name, value in full_state.items() if name.startswith(TRUNK)}
    theirs.load_state_dict({**theirs.state_dict(), **trunk})
    ours = DeepLabV2(CLASSES, form="torchvision").eval()
    ours.load_state_dict(full_state)
    image = random_image(50, 71)
    with torch.inference_mode():
        x = torchvision.transforms.functional.normalize(image, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
        third = theirs.layer3(theirs.layer2(theirs.layer1(x)))
        fourth = theirs.layer4(third)
        logits = ours(image)
    assert_same_logits(logits.main, classified(fourth, full_state, "layer6"))
    assert_same_logits(logits.auxiliary, classified(third, full_state, "layer5"))


def test_the_two_forms_differ_under_the_same_weights(full_state: dict[str, Tensor]) -> None:
    state = {name: full_state[name] for name in described(CLASSES, blocks=QUICK)}
    image = random_image(65, 65)  # of a size that both forms take to 9 x 9
    main = []
    for form in ("caffe", "torchvision"):
        network = DeepLabV2(CLASSES, form=form, blocks=QUICK).eval()
        network.load_state_dict(state)
        with torch.inference_mode():
            main.append(network(image).main)
    assert main[0].shape == main[1].shape
    assert (main[0] - main[1]).abs().max() > 0.1 * main[0].abs().max()


@pytest.mark.parametrize(("auxiliary", "count"), [(True, 640), (False, 632)])
@pytest.mark.parametrize("form", ["caffe", "torchvision"])
def test_names_and_shapes_are_those_of_published_checkpoints(form: Form, auxiliary: bool, count: int) -> None:
    with torch.device("meta"):
        network = DeepLabV2(19, form=form, auxiliary=auxiliary)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == described(19, auxiliary=auxiliary)
    assert len(shapes) == count  # 104 convolutions, as many batch norms of 5 entries, 8 entries of a classifier


def test_torchvisions_resnet101_has_the_names_of_the_backbone() -> None:
    with torch.device("meta"):
        theirs = torchvision.models.resnet101().state_dict()
    backbone = {name: tuple(value.shape) for name, value in theirs.items() if not name.startswith("fc.")}
    assert backbone == {name: shape for name, shape in described(19).items() if name.startswith(TRUNK)}


@pytest.mark.parametrize(
    ("form", "size_hw", "at_stride"),
    [
        ("caffe", (512, 1024), (65, 129)),  # as ADVENT's comments say
        ("caffe", (33, 50), (5, 7)),  # 33 -> 17 -> 9 -> 5 and 50 -> 25 -> 13 -> 7
        ("caffe", (64, 66), (9, 9)),  # 64 -> 32 -> 17 -> 9 and 66 -> 33 -> 17 -> 9
        ("torchvision", (512, 1024), (64, 128)),
        ("torchvision", (33, 50), (5, 7)),
        ("torchvision", (64, 66), (8, 9)),  # 64 -> 32 -> 16 -> 8
    ],
)
def test_logits_come_at_stride_8_rounded_as_the_form_rounds(
    form: Form, size_hw: tuple[int, int], at_stride: tuple[int, int]
) -> None:
    with torch.device("meta"):
        logits = DeepLabV2(CLASSES, form=form, blocks=QUICK)(torch.empty(2, 3, *size_hw))
    assert logits.main.shape == logits.auxiliary.shape == (2, CLASSES, *at_stride)


def test_without_an_auxiliary_classifier_there_are_no_auxiliary_logits() -> None:
    network = DeepLabV2(CLASSES, auxiliary=False, blocks=QUICK).eval()
    with torch.inference_mode():
        logits = network(random_image(33, 33))
    assert logits.main.shape == (1, CLASSES, 5, 5)
    assert logits.auxiliary is None


def test_fresh_convolutions_are_normal_with_a_deviation_of_a_hundredth_by_the_global_seed() -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        network = DeepLabV2(CLASSES, blocks=QUICK)
        weights.append({name: value for name, value in network.named_parameters() if value.ndim == 4})
    for name, value in weights[0].items():
        assert value.mean().item() == pytest.approx(0, abs=5e-4), name
        assert value.std().item() == pytest.approx(0.01, rel=0.05), name
        assert torch.equal(value, weights[1][name]), name
        assert not torch.equal(value, weights[2][name]), name


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="form: expected one of caffe, torchvision, but got 'cafe'"):
        DeepLabV2(CLASSES, form="cafe", blocks=QUICK)  # type: ignore[arg-type]


def test_gradients_reach_every_convolution_and_no_batch_norm_whose_statistics_follow_train_and_eval() -> None:
    network = DeepLabV2(CLASSES, blocks=QUICK)
    network.load_state_dict(drawn(described(CLASSES, blocks=QUICK)))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    logits = network.train()(random_image(65, 49, count=2))
    assert logits.auxiliary is not None
    (logits.main.square().mean() + logits.auxiliary.square().mean()).backward()
    for name, value in network.named_parameters():
        in_batch_norm = "bn" in name or "downsample.1" in name
        assert (value.grad is None) if in_batch_norm else (value.grad is not None and value.grad.any()), name
    torch.optim.SGD(network.parameter_groups(0.1), lr=0.1).step()
    for name, value in network.state_dict().items():
        stays = name.startswith("bn") or ".bn" in name or "downsample.1" in name
        stays = stays and name.endswith((".weight", ".bias"))
        assert torch.equal(value, before[name]) == stays, name
    trained = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode():
        network.eval()(random_image(33, 33))
    assert all(torch.equal(value, trained[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("auxiliary", [True, False])
def test_parameter_groups_hold_everything_trained_once_the_classifiers_at_ten_times_the_rate(auxiliary: bool) -> None:
    with torch.device("meta"):
        network = DeepLabV2(CLASSES, auxiliary=auxiliary, blocks=(2, 1, 1, 1))
    names = {parameter: name for name, parameter in network.named_parameters()}
    backbone, classifiers = network.parameter_groups(2.5e-4)
    assert (backbone["lr"], classifiers["lr"]) == pytest.approx((2.5e-4, 2.5e-3))
    in_backbone = [names[parameter] for parameter in backbone["params"]]
    in_classifiers = [names[parameter] for parameter in classifiers["params"]]
    shapes = described(CLASSES, auxiliary=auxiliary, blocks=(2, 1, 1, 1))
    convolutions = [name for name, shape in shapes.items() if len(shape) == 4]
    assert in_backbone == [name for name in convolutions if name.startswith(TRUNK)]
    assert in_classifiers == [name for name in shapes if name.startswith(("layer5.", "layer6."))]
