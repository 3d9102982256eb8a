"""Published weights for DeepLab v2, from local files; no code of a file is ever run."""

import sys
from pathlib import Path

from torch import Tensor, nn

from esl.errors import InputError, one_line
from esl.models.networks.deeplabv2 import CLASSIFIERS, MAIN_CHANNELS, DeepLabV2, Form
from esl.models.weights import check_weights, read_tensors

NETWORK_OF_FORM: dict[Form, str] = {
    "caffe": "deeplabv2_resnet101",
    "torchvision": "deeplabv2_resnet101_torchvision",
}

CAFFE_PREFIX = "Scale."  # of every name in the usual initialisations, which come from a multi-scale wrapper
MAIN_WEIGHT = "layer6.conv2d_list.0.weight"
AUXILIARY_WEIGHT = "layer5.conv2d_list.0.weight"
WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys of the weights among what training code saves
PARALLEL_PREFIX = "module."  # of every name where torch's DataParallel was saved

AS_DRAWN = 0.01
"""The standard deviation of fresh weights in the public code."""


def load_weights(network: DeepLabV2, path: Path) -> None:
    """Loads published weights from a local file into ``network``; no code of the file is ever run.

    Three kinds are known by the names they hold:
    the initialisation of the Caffe form from ImageNet or COCO (``Scale.`` before every name; backbone only, the
    classifier of its own task is dropped); torchvision's ResNet-101 for the torchvision form (``fc.weight``; backbone
    only); a checkpoint of ADVENT, ESL or AdaptSegNet (``layer6``; everything, so classes and classifiers must agree),
    or one of BDL or FDA, whose only classifier is called ``layer5``. ``num_batches_tracked`` may be missing, as it is
    from files of torch before 0.4.1. The weights may be under a key such as ``state_dict``, with ``module.`` before
    their names.

    AdaptSegNet's own code adds up the first two of the four convolutions of a classifier; the other two are in its
    checkpoints as they were drawn. They become zero here, so that the network is the published one; a line says so.

    Raises:
        InputError: the file is missing, cannot be loaded safely, is of no such kind or of the other form, or holds
            less, more or other shapes than the network has, or numbers that are not finite; the network is left as it
            was.
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
        _leave_out_branches_as_drawn(network, path)
    else:
        raise InputError(
            f"{path}: expected {CAFFE_PREFIX}conv1.weight (initialisation of the Caffe form), fc.weight (torchvision's "
            f"ResNet-101) or {MAIN_WEIGHT} (checkpoint of ADVENT, ESL or AdaptSegNet) among its names, but got "
            f"{_first(list(weights))}; take one of these files"
        )


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a file in torch's zip format or the older one, on the CPU, as this project names them."""
    content = read_tensors(path, kind="weights", fix="download the file again", old_format=True)
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: expected names and tensors, but it holds a {type(content).__name__}; take its weights"
        )
    content = next((content[key] for key in WRAPPERS if isinstance(content.get(key), dict)), content)
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise InputError(
                f"{path}: expected names and tensors, but {one_line(repr(name))} is a {type(value).__name__}; "
                "take its weights"
            )
    weights = {name.removeprefix(PARALLEL_PREFIX): value for name, value in content.items()}
    only = weights.get(AUXILIARY_WEIGHT)
    if only is not None and MAIN_WEIGHT not in weights and only.dim() == 4 and only.shape[1] == MAIN_CHANNELS:
        weights = {name.replace("layer5.", "layer6."): value for name, value in weights.items()}
    return weights


def _leave_out_branches_as_drawn(network: DeepLabV2, path: Path) -> None:
    for name in ("layer5", "layer6"):
        if (classifier := getattr(network, name)) is None:
            continue
        first, second, *others = classifier.conv2d_list
        trained = [_is_trained(branch.weight) for branch in (first, second, *others)]
        if all(trained[:2]) and not any(trained[2:]):
            for branch in others:
                nn.init.zeros_(branch.weight)
                nn.init.zeros_(branch.bias)
            print(f"{path}: of {name} the last two convolutions are untrained; left out", file=sys.stderr)


def _is_trained(weight: Tensor) -> bool:
    """Whether weights differ from N(0, 0.01): by six standard errors of the deviation of so many."""
    error = AS_DRAWN / (2 * weight.numel()) ** 0.5
    return bool(abs(float(weight.detach().double().std()) - AS_DRAWN) > 6 * error)


def _require_form(network: DeepLabV2, form: Form, path: Path) -> None:
    if network.form != form:
        raise InputError(
            f"{path}: weights of the {form} form, but the network has the {network.form} form; ask for the network "
            f"{NETWORK_OF_FORM[form]}, or take the other form's weights"
        )


def _require_classifiers(network: DeepLabV2, weights: dict[str, Tensor], path: Path) -> None:
    """Refuses a checkpoint with other classes or classifiers than the network: another setting fixes either."""
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
    check_weights(path, weights, fix="download the file again")
    network.load_state_dict({**own, **weights})


def _first(names: list[str]) -> str:
    """The first three names and how many more there are."""
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return one_line(", ".join(names[:3]) or "nothing") + rest
