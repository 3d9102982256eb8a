"""DeepLab v2 against the published network written down a second time, and every file of weights it may be given."""

import math
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor

from esl.errors import InputError
from esl.models.network import as_input
from esl.models.networks.deeplabv2 import DeepLabV2, Form
from esl.models.networks.deeplabv2_weights import load_weights

CLASSES = 5
QUICK = (1, 1, 1, 1)  # blocks
TRUNK = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")

# ------------------------------------------------------------------------------ the published network, a second time


def described(num_classes: int, *, auxiliary: bool = True, blocks: tuple[int, ...] = (3, 4, 23, 3)) -> dict[str, Any]:
    """Every name of a published state dict and its shape, from the description of ResNet-101 and DeepLab v2."""
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    shapes["conv1.weight"] = (64, 3, 7, 7)
    norm("bn1", 64)
    incoming = 64
    for layer, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=1):
        for block in range(count):
            place = f"layer{layer}.{block}"
            shapes[f"{place}.conv1.weight"] = (width, incoming, 1, 1)
            norm(f"{place}.bn1", width)
            shapes[f"{place}.conv2.weight"] = (width, width, 3, 3)
            norm(f"{place}.bn2", width)
            shapes[f"{place}.conv3.weight"] = (4 * width, width, 1, 1)
            norm(f"{place}.bn3", 4 * width)
            if block == 0:
                shapes[f"{place}.downsample.0.weight"] = (4 * width, incoming, 1, 1)
                norm(f"{place}.downsample.1", 4 * width)
            incoming = 4 * width
    for layer, channels in ((5, 1024), (6, 2048)) if auxiliary else ((6, 2048),):
        for branch in range(4):
            shapes[f"layer{layer}.conv2d_list.{branch}.weight"] = (num_classes, channels, 3, 3)
            shapes[f"layer{layer}.conv2d_list.{branch}.bias"] = (num_classes,)
    return shapes


def drawn(shapes: dict[str, Any], seed: int = 0) -> dict[str, Tensor]:
    """Weights under which every layer matters: activations neither fade nor explode over a hundred layers."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(1000)
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(shape, generator=generator)
        elif len(shape) == 4:
            state[name] = torch.randn(shape, generator=generator) * math.sqrt(2 / math.prod(shape[1:]))
        elif name.endswith("weight"):  # of batch norm; small where a block adds to its skip connection
            state[name] = (0.2 if "bn3" in name else 1.0) * (0.5 + torch.rand(shape, generator=generator))
        else:
            state[name] = 0.2 * torch.randn(shape, generator=generator)
    state["conv1.weight"] *= 0.02  # pictures come in 0..255
    return state


def taps(x: Tensor, size: int, stride: int, dilation: int) -> Iterator[tuple[int, int, Tensor]]:
    """What each element of a kernel sees of the padded input: its row and column in the kernel, and (N, C, h, w)."""
    reach = dilation * (size - 1)
    height, width = x.shape[-2] - reach, x.shape[-1] - reach
    for row in range(size):
        for column in range(size):
            top, left = row * dilation, column * dilation
            yield row, column, x[..., top : top + height : stride, left : left + width : stride]


def convolved(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1) -> Tensor:
    """A convolution as the sum of one matrix product for each element of the kernel."""
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    return sum(  # type: ignore[return-value]
        torch.einsum("oc,nchw->nohw", weight[:, :, row, column], seen)
        for row, column, seen in taps(padded, weight.shape[-1], stride, dilation)
    )


def pooled(x: Tensor, *, round_up: bool) -> Tensor:
    """The maximum of 3x3 windows at every second place, beginning one pixel outside."""
    after = [1 + (round_up and length % 2 == 0) for length in x.shape[-2:]]
    padded = torch.nn.functional.pad(x, (1, after[1], 1, after[0]), value=-math.inf)
    return torch.stack([seen for _, _, seen in taps(padded, 3, 2, 1)]).amax(dim=0)


def normalised(x: Tensor, state: dict[str, Tensor], name: str) -> Tensor:
    weight, bias, mean, variance = (
        state[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * weight + bias


def classified(x: Tensor, state: dict[str, Tensor], layer: str) -> Tensor:
    return sum(  # type: ignore[return-value]
        convolved(x, state[f"{layer}.conv2d_list.{branch}.weight"], 1, dilation, dilation)
        + state[f"{layer}.conv2d_list.{branch}.bias"][:, None, None]
        for branch, dilation in enumerate((6, 12, 18, 24))
    )


def published(state: dict[str, Tensor], picture: Tensor, form: Form) -> tuple[Tensor, Tensor]:
    """Main and auxiliary logits of RGB pictures in [0, 1], in float64."""
    state = {name: value.double() for name, value in state.items()}
    red, green, blue = picture.double().unbind(dim=1)
    if form == "caffe":
        channels = [255 * blue - 104.00698793, 255 * green - 116.66876762, 255 * red - 122.67891434]
    else:
        channels = [(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225]
    x = convolved(torch.stack(channels, dim=1), state["conv1.weight"], 2, 3)
    x = pooled(normalised(x, state, "bn1").clamp(min=0), round_up=form == "caffe")
    for layer, stride, dilations in ((1, 1, (1, 1)), (2, 2, (1, 1)), (3, 1, (1, 2)), (4, 1, (2, 4))):
        block = 0
        while (place := f"layer{layer}.{block}") + ".conv1.weight" in state:
            first = stride if block == 0 else 1
            dilation = dilations[0] if form == "torchvision" and block == 0 else dilations[1]
            in_1x1, in_3x3 = (first, 1) if form == "caffe" else (1, first)
            y = convolved(x, state[f"{place}.conv1.weight"], in_1x1)
            y = normalised(y, state, f"{place}.bn1").clamp(min=0)
            y = convolved(y, state[f"{place}.conv2.weight"], in_3x3, dilation, dilation)
            y = normalised(y, state, f"{place}.bn2").clamp(min=0)
            y = normalised(convolved(y, state[f"{place}.conv3.weight"]), state, f"{place}.bn3")
            if block == 0:
                x = convolved(x, state[f"{place}.downsample.0.weight"], first)
                x = normalised(x, state, f"{place}.downsample.1")
            x = (x + y).clamp(min=0)
            block += 1
        if layer == 3:
            auxiliary = classified(x, state, "layer5")
    return classified(x, state, "layer6"), auxiliary


def assert_same_logits(actual: Tensor | None, expected: Tensor) -> None:
    """Equal to 1e-5 of the largest logit, and not all alike."""
    assert actual is not None and actual.dtype == torch.float32
    assert expected.std() > 0.05 * expected.abs().max()
    largest = expected.abs().max().item()
    torch.testing.assert_close(actual.double(), expected.double(), rtol=0, atol=1e-5 * largest)


def random_picture(height: int, width: int, count: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(height)
    return as_input(torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator))


@pytest.fixture(scope="module")
def full_state() -> dict[str, Tensor]:
    return drawn(described(CLASSES))


@pytest.mark.parametrize(
    ("form", "size"),
    [
        ("caffe", (65, 97)),
        ("caffe", (36, 212)),  # 5 x 27 at the stride: every dilation sees more than its middle
        ("torchvision", (36, 212)),
    ],
)
def test_logits_are_those_of_the_published_network(
    form: Form, size: tuple[int, int], full_state: dict[str, Tensor]
) -> None:
    network = DeepLabV2(CLASSES, form=form).eval()
    network.load_state_dict(full_state)
    picture = random_picture(*size)
    with torch.inference_mode():
        logits = network(picture)
        main, auxiliary = published(full_state, picture, form)
    assert_same_logits(logits.main, main)
    assert_same_logits(logits.auxiliary, auxiliary)


def test_the_torchvision_form_has_torchvisions_features(full_state: dict[str, Tensor]) -> None:
    theirs = torchvision.models.resnet101(replace_stride_with_dilation=[False, True, True]).eval()
    trunk = {name: value for name, value in full_state.items() if name.startswith(TRUNK)}
    theirs.load_state_dict({**theirs.state_dict(), **trunk})
    ours = DeepLabV2(CLASSES, form="torchvision").eval()
    ours.load_state_dict(full_state)
    picture = random_picture(50, 71)
    with torch.inference_mode():
        x = torchvision.transforms.functional.normalize(picture, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
        third = theirs.layer3(theirs.layer2(theirs.layer1(x)))
        fourth = theirs.layer4(third)
        logits = ours(picture)
    assert_same_logits(logits.main, classified(fourth, full_state, "layer6"))
    assert_same_logits(logits.auxiliary, classified(third, full_state, "layer5"))


def test_the_two_forms_differ_under_the_same_weights(full_state: dict[str, Tensor]) -> None:
    state = {name: full_state[name] for name in described(CLASSES, blocks=QUICK)}
    picture = random_picture(65, 65)  # of a size that both forms take to 9 x 9
    main = []
    for form in ("caffe", "torchvision"):
        network = DeepLabV2(CLASSES, form=form, blocks=QUICK).eval()
        network.load_state_dict(state)
        with torch.inference_mode():
            main.append(network(picture).main)
    assert main[0].shape == main[1].shape
    assert (main[0] - main[1]).abs().max() > 0.1 * main[0].abs().max()


# ------------------------------------------------------------------------------------- names, sizes, what is trained


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
    ("form", "size", "at_stride"),
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
    form: Form, size: tuple[int, int], at_stride: tuple[int, int]
) -> None:
    with torch.device("meta"):
        logits = DeepLabV2(CLASSES, form=form, blocks=QUICK)(torch.empty(2, 3, *size))
    assert logits.main.shape == logits.auxiliary.shape == (2, CLASSES, *at_stride)


def test_without_an_auxiliary_classifier_there_are_no_auxiliary_logits() -> None:
    network = DeepLabV2(CLASSES, auxiliary=False, blocks=QUICK).eval()
    with torch.inference_mode():
        logits = network(random_picture(33, 33))
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


def test_an_unknown_form_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="form: expected one of caffe, torchvision, but got 'cafe'"):
        DeepLabV2(CLASSES, form="cafe", blocks=QUICK)  # type: ignore[arg-type]


def test_gradients_reach_every_convolution_and_no_batch_norm_whose_statistics_follow_train_and_eval() -> None:
    network = DeepLabV2(CLASSES, blocks=QUICK)
    network.load_state_dict(drawn(described(CLASSES, blocks=QUICK)))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    logits = network.train()(random_picture(65, 49, count=2))
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
        network.eval()(random_picture(33, 33))
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


# ---------------------------------------------------------------------------------------------------- initial weights


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes texts as Python 2 wrote its byte strings."""

    def save_str(self, text: str) -> None:
        content = text.encode()
        self.write(pickle.SHORT_BINSTRING + bytes([len(content)]) + content)
        self.memoize(text)

    dispatch = {**pickle._Pickler.dispatch, str: save_str}  # type: ignore[attr-defined]  # noqa: RUF012


def save(state: Any, path: Path, format_: str = "zip") -> Path:
    """Saves as torch does now, as it did before 1.6, or as it did so under Python 2."""
    old_pickle = SimpleNamespace(__name__="pickle", dump=pickle.dump, Pickler=_Python2Pickler)
    torch.save(
        state,
        path,
        pickle_module=old_pickle if format_ == "python2" else pickle,
        _use_new_zipfile_serialization=format_ == "zip",
    )
    return path


def quick(form: Form = "caffe", *, auxiliary: bool = True) -> DeepLabV2:
    torch.manual_seed(3)
    return DeepLabV2(CLASSES, form=form, auxiliary=auxiliary, blocks=QUICK)


def quick_state(**changes: Any) -> dict[str, Tensor]:
    return drawn(described(**{"num_classes": CLASSES, "blocks": QUICK, **changes}))


def assert_loaded(network: DeepLabV2, expected: dict[str, Tensor]) -> None:
    """The backbone, and whatever else is expected, to the last bit; all else as it was made."""
    fresh = quick(network.form, auxiliary=network.layer5 is not None).state_dict()
    for name, value in network.state_dict().items():
        if name.startswith(TRUNK) and not name.endswith("num_batches_tracked"):
            assert name in expected
        assert torch.equal(value, expected.get(name, fresh[name])), name


@pytest.mark.parametrize("format_", ["zip", "old", "python2"])
def test_a_published_checkpoint_is_loaded_whole_in_every_format_of_torch(tmp_path: Path, format_: str) -> None:
    state = quick_state()
    network = quick()
    path = save(state, tmp_path / "advent.pth", format_)
    assert (path.read_bytes()[:4] == b"PK\x03\x04") == (format_ == "zip")
    assert (b"\x0cconv1.weight" in path.read_bytes()) == (format_ == "python2")
    load_weights(network, path)
    assert_loaded(network, state)


def test_a_published_checkpoint_of_one_classifier_is_loaded_whole(tmp_path: Path) -> None:
    state = quick_state(auxiliary=False)
    network = quick(auxiliary=False)
    load_weights(network, save(state, tmp_path / "advent.pth"))
    assert_loaded(network, state)


@pytest.mark.parametrize("classes_of_its_own", [21, CLASSES, None])
def test_the_initialisation_of_the_caffe_form_fills_the_backbone_alone(
    tmp_path: Path, classes_of_its_own: int | None
) -> None:
    state = {
        name: value
        for name, value in quick_state().items()
        if name.startswith(TRUNK) and not name.endswith("num_batches_tracked")
    }
    stored = {f"Scale.{name}": value for name, value in state.items()}
    if classes_of_its_own is not None:
        stored |= {
            f"Scale.layer5.conv2d_list.{branch}.{part}": torch.ones(classes_of_its_own, *shape)
            for branch in range(4)
            for part, shape in (("weight", (2048, 3, 3)), ("bias", ()))
        }
    network = quick()
    load_weights(network, save(stored, tmp_path / "init.pth", "python2"))
    assert_loaded(network, state)


@pytest.mark.parametrize("format_", ["zip", "old"])
def test_torchvisions_resnet_fills_the_backbone_of_the_torchvision_form_alone(tmp_path: Path, format_: str) -> None:
    torch.manual_seed(5)
    theirs = torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, list(QUICK))
    network = quick("torchvision")
    load_weights(network, save(theirs.state_dict(), tmp_path / "resnet101.pth", format_))
    assert_loaded(network, {name: value for name, value in theirs.state_dict().items() if name.startswith(TRUNK)})


def refused(network: DeepLabV2, path: Path, message: str) -> None:
    """The file is refused by name, and the network is left as it was."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(InputError, match=rf"{path.name}: {message}"):
        load_weights(network, path)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_weights_of_the_other_form_are_refused(tmp_path: Path) -> None:
    published_state = quick_state()
    scaled = {f"Scale.{name}": value for name, value in published_state.items() if name.startswith(TRUNK)}
    theirs = {name: value for name, value in published_state.items() if name.startswith(TRUNK)}
    theirs |= {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    message = "weights of the caffe form, but the network has the torchvision form; ask for the network deeplab"
    refused(quick("torchvision"), save(published_state, tmp_path / "advent.pth"), message)
    refused(quick("torchvision"), save(scaled, tmp_path / "init.pth"), message)
    message = "weights of the torchvision form, but the network has the caffe form; ask for the network .*_torchvision"
    refused(quick("caffe"), save(theirs, tmp_path / "resnet101.pth"), message)


def test_a_checkpoint_of_another_number_of_classes_is_refused(tmp_path: Path) -> None:
    path = save(quick_state(num_classes=4), tmp_path / "advent.pth")
    refused(quick(), path, "a model of 4 classes, but the network has 5; take a checkpoint of the same class set")


def test_a_checkpoint_with_other_classifiers_is_refused_with_the_setting_that_mends_it(tmp_path: Path) -> None:
    two = save(quick_state(), tmp_path / "two.pth")
    refused(
        quick(auxiliary=False), two, "holds an auxiliary classifier .layer5.; ask for the network deeplabv2_resnet101"
    )
    one = save(quick_state(auxiliary=False), tmp_path / "one.pth")
    refused(quick(), one, "holds no auxiliary classifier .layer5.; ask for the network deeplabv2_resnet101_single")


@pytest.mark.parametrize("prefix", ["", "Scale."])
def test_whatever_does_not_fit_is_refused_by_the_first_names(tmp_path: Path, prefix: str) -> None:
    state = quick_state()
    if prefix:
        state = {f"{prefix}{name}": value for name, value in state.items() if name.startswith(TRUNK)}
    path = tmp_path / "weights.pth"
    what = "expected the .* entries of this network's " + ("backbone" if prefix else "weights")

    def without(*names: str) -> dict[str, Tensor]:
        return {name: value for name, value in state.items() if name.removeprefix(prefix) not in names}

    save(without("bn1.running_var"), path)
    refused(quick(), path, rf"{what}, but it lacks bn1\.running_var; take weights of ResNet-101")
    save(without("conv1.weight", *(f"layer4.0.conv{number}.weight" for number in (1, 2, 3))), path)
    refused(quick(), path, rf"{what}, but it lacks conv1.weight, layer4.0.conv1.weight, .*conv2.weight and 1 more;")
    save({**state, f"{prefix}layer1.1.conv1.weight": torch.zeros(64, 256, 1, 1)}, path)
    refused(quick(), path, rf"{what}, but it has unknown layer1\.1\.conv1\.weight;")
    save({**state, f"{prefix}conv1.weight": torch.zeros(64, 1, 7, 7)}, path)
    refused(quick(), path, rf"{what}, but it has other shapes: conv1.weight \(64, 1, 7, 7\) instead of \(64, 3, 7, 7\)")


def test_torchvisions_weights_of_another_depth_are_refused(tmp_path: Path) -> None:
    theirs = torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, [1, 2, 1, 1]).state_dict()
    path = save(theirs, tmp_path / "resnet50.pth")
    refused(quick("torchvision"), path, r"expected .* backbone, but it has unknown layer2\.1\.conv1\.weight, .* more;")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "expected Scale.conv1.weight .*, but got nothing;"),
        ({"stem.0.weight": torch.zeros(3)}, r"expected .* among its names, but got stem\.0\.weight; take one of"),
        (torch.zeros(3), "expected names and tensors, but it holds a Tensor"),
        ({"epoch": 3, "state_dict": {}}, "expected names and tensors, but 'epoch' is a int"),
        ({0: torch.zeros(3)}, "expected names and tensors, but 0 is a Tensor"),
    ],
)
def test_what_holds_no_weights_of_the_kind_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    refused(quick(), save(content, tmp_path / "other.pth"), message)


def test_a_missing_file_is_refused_with_where_to_get_it_and_where_to_put_it(tmp_path: Path) -> None:
    refused(
        quick(),
        tmp_path / "init.pth",
        "no such file of initial weights.*DeepLab_resnet_pretrained_imagenet.pth.*ADVENT.*AdaptSegNet.*"
        "torchvision.models.ResNet101_Weights.*put it at this path",
    )


@pytest.mark.parametrize("content", [b"", b"hello world\n", b"<!DOCTYPE html>", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_what_is_no_file_of_torch_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pth").write_bytes(content)
    refused(quick(), tmp_path / "bad.pth", "not weights that can be loaded safely .*; download the file again")


@pytest.mark.parametrize("format_", ["zip", "old", "python2"])
def test_a_truncated_file_is_refused_wherever_it_was_cut(tmp_path: Path, format_: str) -> None:
    state = {f"Scale.layer{number}.weight": torch.rand(3, 4) for number in range(5)}
    whole = save(state, tmp_path / "whole.pth", format_).read_bytes()
    with torch.device("meta"):
        network = DeepLabV2(CLASSES, blocks=QUICK)
    for length in {*range(1, 40), *range(40, len(whole), len(whole) // 100), len(whole) - 1}:
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.pth: not weights that can be loaded safely"):
            load_weights(network, tmp_path / "cut.pth")


def test_a_flipped_bit_in_a_zip_never_reads_silently(tmp_path: Path) -> None:
    state = quick_state()
    path = save(state, tmp_path / "advent.pth")
    content = bytearray(path.read_bytes())
    content[content.index(state["conv1.weight"].numpy().tobytes()) + 3] ^= 0x40
    path.write_bytes(content)
    refused(quick(), path, "not weights that can be loaded safely .*checksum")


class _Malicious:
    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._trace}",)


def test_a_malicious_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = {"Scale.conv1.weight": torch.zeros(3), "extra": _Malicious(trace)}
    paths = [save(content, tmp_path / f"{format_}.pth", format_) for format_ in ("zip", "old", "python2")]
    paths.append(tmp_path / "plain.pth")
    paths[-1].write_bytes(pickle.dumps(_Malicious(trace), protocol=2))
    for path in paths:
        refused(quick(), path, "not weights that can be loaded safely .it is damaged or holds more than tensors")
    assert not trace.exists()
    pickle.loads(paths[-1].read_bytes())
    assert trace.exists()  # the pickle does bite where it is loaded
