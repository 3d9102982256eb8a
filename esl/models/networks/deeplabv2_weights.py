"""Published weights for DeepLab v2, from local files; no code of a file is ever run."""

from pathlib import Path

from torch import Tensor

from esl.errors import InputError
from esl.models.networks.deeplabv2 import CLASSIFIERS, DeepLabV2, Form
from esl.models.weights import read_tensors

NETWORK_OF_FORM: dict[Form, str] = {
    "caffe": "deeplabv2_resnet101",
    "torchvision": "deeplabv2_resnet101_torchvision",
}

CAFFE_PREFIX = "Scale."  # of every name in the usual initialisations, which come from a multi-scale wrapper
MAIN_WEIGHT = "layer6.conv2d_list.0.weight"
AUXILIARY_WEIGHT = "layer5.conv2d_list.0.weight"


def load_weights(network: DeepLabV2, path: Path) -> None:
    """Loads published weights from a local file into ``network``; no code of the file is ever run.

    Three kinds are known by the names they hold:
    the initialisation of the Caffe form from ImageNet or COCO (``Scale.`` before every name; backbone only, the
    classifier of its own task is dropped); torchvision's ResNet-101 for the torchvision form (``fc.weight``; backbone
    only); a checkpoint of ADVENT, ESL or AdaptSegNet (``layer6``; everything, so classes and classifiers must agree).
    ``num_batches_tracked`` may be missing, as it is from files of torch before 0.4.1.

    AdaptSegNet's own code adds up the first two of the four convolutions of a classifier; the other two are in its
    checkpoints as they were drawn, and count here.

    Raises:
        InputError: the file is missing, cannot be loaded safely, is of no such kind or of the other form, or holds
            less, more or other shapes than the network has; the network is left as it was.
    """
    weights = _read_state_dict(path)
    if any(name.startswith(CAFFE_PREFIX) for name in weights):
        _require_form(network, "caffe", path)
        weights = {name.removeprefix(CAFFE_PREFIX): weight for name, weight in weights.items()}
        weights = {name: weight for name, weight in weights.items() if not name.startswith(CLASSIFIERS)}
        _load(network, weights, path, backbone_only=True)
    elif "fc.weight" in weights:
        _require_form(network, "torchvision", path)
        weights = {name: weight for name, weight in weights.items() if not name.startswith("fc.")}
        _load(network, weights, path, backbone_only=True)
    elif MAIN_WEIGHT in weights:
        _require_form(network, "caffe", path)
        _require_classifiers(network, weights, path)
        _load(network, weights, path, backbone_only=False)
    else:
        raise InputError(
            f"{path}: expected {CAFFE_PREFIX}conv1.weight (initialisation of the Caffe form), fc.weight (torchvision's "
            f"ResNet-101) or {MAIN_WEIGHT} (checkpoint of ADVENT, ESL or AdaptSegNet) among its names, but got "
            f"{_first(list(weights))}; take one of these files"
        )


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a file in torch's zip format or the older one, on the CPU."""
    content = read_tensors(path, kind="weights", fix="download the file again", old_format=True)
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: expected names and tensors, but it holds a {type(content).__name__}; take its weights"
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise InputError(
                f"{path}: expected names and tensors, but {name!r} is a {type(value).__name__}; take its weights"
            )
    return content


def _require_form(network: DeepLabV2, form: Form, path: Path) -> None:
    if network.form != form:
        raise InputError(
            f"{path}: weights of the {form} form, but the network has the {network.form} form; ask for the network "
            f"{NETWORK_OF_FORM[form]}, or take the other form's weights"
        )


def _require_classifiers(network: DeepLabV2, weights: dict[str, Tensor], path: Path) -> None:
    """The two ways in which a published checkpoint and a network may disagree that another setting fixes."""
    num_classes = len(weights[MAIN_WEIGHT])
    if num_classes != network.num_classes:
        raise InputError(
            f"{path}: a model of {num_classes} classes, but the network has {network.num_classes}; take a checkpoint "
            "of the same class set"
        )
    has_auxiliary = AUXILIARY_WEIGHT in weights
    if has_auxiliary != (network.layer5 is not None):
        holds, needs = ("an", "deeplabv2_resnet101") if has_auxiliary else ("no", "deeplabv2_resnet101_single")
        raise InputError(f"{path}: holds {holds} auxiliary classifier (layer5); ask for the network {needs}")


def _load(network: DeepLabV2, weights: dict[str, Tensor], path: Path, *, backbone_only: bool) -> None:
    own = network.state_dict()
    expected = {name: own[name] for name in own if not (backbone_only and name.startswith(CLASSIFIERS))}
    missing = [name for name in expected if name not in weights and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in weights if name not in expected]
    other = [
        f"{name} {tuple(weight.shape)} instead of {tuple(expected[name].shape)}"
        for name, weight in weights.items()
        if name in expected and weight.shape != expected[name].shape
    ]
    for problem, names in (("lacks", missing), ("has unknown", unexpected), ("has other shapes:", other)):
        if names:
            raise InputError(
                f"{path}: expected the {len(expected)} entries of this network's "
                f"{'backbone' if backbone_only else 'weights'}, but it {problem} {_first(names)}; "
                "take weights of ResNet-101"
            )
    network.load_state_dict({**own, **weights})


def _first(names: list[str]) -> str:
    """The first three names and how many more there are."""
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) or "nothing") + rest
