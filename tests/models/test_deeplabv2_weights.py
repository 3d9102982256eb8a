"""Published weights into DeepLab v2: every known kind of file, and files that do not fit."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor

from esl.errors import InputError
from esl.models.networks.deeplabv2 import DeepLabV2, Form
from esl.models.networks.deeplabv2_weights import load_weights
from esl.models.pretrained import load_pretrained
from tests.models.published_deeplabv2 import CLASSES, QUICK, TRUNK, described, drawn


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
    """The backbone, and the other names given, are equal to the last bit; the rest is as initialised."""
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


def test_the_only_classifier_of_bdl_and_fda_is_the_main_one(tmp_path: Path) -> None:
    state = quick_state(auxiliary=False)
    network = quick(auxiliary=False)
    load_weights(
        network,
        save({name.replace("layer6", "layer5"): weight for name, weight in state.items()}, tmp_path / "bdl.pth"),
    )
    assert_loaded(network, state)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_weights_are_found_among_what_a_training_saved(tmp_path: Path, key: str) -> None:
    state = quick_state()
    network = quick()
    parallel = {f"module.{name}": weight for name, weight in state.items()}
    load_weights(network, save({"epoch": 3, key: parallel}, tmp_path / "training.pth"))
    assert_loaded(network, state)


def test_convolutions_that_adaptsegnet_has_not_trained_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = quick_state()
    generator = torch.Generator().manual_seed(1)
    for layer in ("layer5", "layer6"):
        for number in range(4):
            weight = state[f"{layer}.conv2d_list.{number}.weight"]
            drawn_anew = torch.randn(weight.shape, generator=generator) * 0.01
            state[f"{layer}.conv2d_list.{number}.weight"] = drawn_anew + (weight if number < 2 else 0)
    network = quick()
    load_weights(network, save(state, tmp_path / "adaptsegnet.pth"))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "of layer6 the last two convolutions are untrained; left out" in said[1]
    for name in [name for name in state if "conv2d_list.2" in name or "conv2d_list.3" in name]:
        state[name] = torch.zeros_like(state[name])
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


def test_a_checkpoint_with_other_classifiers_is_refused_with_the_setting_that_fixes_it(tmp_path: Path) -> None:
    two = save(quick_state(), tmp_path / "two.pth")
    refused(
        quick(auxiliary=False), two, "holds an auxiliary classifier .layer5.; ask for the network deeplabv2_resnet101"
    )
    one = save(quick_state(auxiliary=False), tmp_path / "one.pth")
    refused(quick(), one, "holds no auxiliary classifier .layer5.; ask for the network deeplabv2_resnet101_single")


@pytest.mark.parametrize("prefix", ["", "Scale."])
def test_entries_that_do_not_fit_are_refused_with_their_first_names(tmp_path: Path, prefix: str) -> None:
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
        ({"epoch": 3, "weights": {}}, "expected names and tensors, but 'epoch' is a int"),
        ({"epoch": 3, "state_dict": {}}, "expected Scale.conv1.weight .*, but got nothing;"),
        ({0: torch.zeros(3)}, "expected names and tensors, but 0 is a Tensor"),
    ],
)
def test_a_file_without_known_weights_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    refused(quick(), save(content, tmp_path / "other.pth"), message)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("deeplabv2_resnet101", "DeepLab_resnet_pretrained_imagenet.pth.*ADVENT.*AdaptSegNet"),
        ("deeplabv2_resnet101_single", "DeepLab_resnet_pretrained_imagenet.pth.*ADVENT.*AdaptSegNet"),
        ("deeplabv2_resnet101_torchvision", r"torchvision\.models\.ResNet101_Weights"),
    ],
)
def test_a_missing_file_is_refused_with_where_to_get_it_and_where_to_put_it(
    tmp_path: Path, name: str, hint: str
) -> None:
    network = quick()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    message = rf"no such file: .*init\.pth; .*{hint}.*put it at this path"
    with pytest.raises(InputError, match=message):
        load_pretrained(name, network, str(tmp_path / "init.pth"))
    refused(network, tmp_path / "init.pth", "no such file; download the file again")
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("content", [b"", b"hello world\n", b"<!DOCTYPE html>", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_a_file_that_torch_did_not_write_is_refused(tmp_path: Path, content: bytes) -> None:
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
