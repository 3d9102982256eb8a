"""Published weights that a training starts from, out of local files; no code of a file is ever run."""

import pickle
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from esl.errors import InputError
from esl.files import sha256_of_file
from esl.models.networks.deeplabv2 import CLASSIFIERS, DeepLabV2, Form

NETWORK_OF_FORM: dict[Form, str] = {
    "caffe": "deeplabv2_resnet101",
    "torchvision": "deeplabv2_resnet101_torchvision",
}

TORCHVISION = "torchvision"
"""In place of a path: torchvision's ImageNet weights, out of its cache, or downloaded into it."""


def load_pretrained(network: nn.Module, weights: str) -> str:
    """Loads the file ``weights``, or torchvision's ImageNet weights, into ``network``; returns the file's SHA-256.

    Raises:
        InputError: the network has no published weights, or see ``load_weights``.
    """
    if not isinstance(network, DeepLabV2):
        raise InputError("pretrained: only deeplabv2_resnet101 starts from published weights; leave it out (null)")
    path = _torchvision_file() if weights == TORCHVISION else Path(weights)
    load_weights(network, path)
    return sha256_of_file(path)


def _torchvision_file() -> Path:
    from torchvision.models import ResNet101_Weights

    url = ResNet101_Weights.IMAGENET1K_V2.url
    path = Path(str(torch.hub.get_dir()), "checkpoints", url.rpartition("/")[2])
    if not path.is_file():
        try:
            ResNet101_Weights.IMAGENET1K_V2.get_state_dict(progress=True, check_hash=True)
        except OSError as error:
            raise InputError(f"{path}: not there, and {url} cannot be reached ({error}); put the file there") from None
    return path


CAFFE_PREFIX = "Scale."  # of every name in the usual initialisations, which come from a multi-scale wrapper
MAIN_WEIGHT = "layer6.conv2d_list.0.weight"
AUXILIARY_WEIGHT = "layer5.conv2d_list.0.weight"


def load_weights(network: DeepLabV2, path: Path) -> None:
    """Loads published weights from a local file into ``network``; no code of the file is ever run.

    Three kinds are known by the names they hold:
    the initialisation of the Caffe form from ImageNet or COCO (``Scale.`` before every name; backbone only, the
    classifier of its own task is dropped); torchvision's ResNet-101 for the torchvision form (``fc.weight``; backbone
    only); a checkpoint of ADVENT, ESL or AdaptSegNet (``layer6``; everything, so classes and classifiers must agree).
    ``num_batches_tracked`` may lack, as it does in files of torch before 0.4.1.

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
    if not path.is_file():
        raise InputError(
            f"{path}: no such file of initial weights. For the Caffe form get the ResNet-101 pretrained on ImageNet "
            "(DeepLab_resnet_pretrained_imagenet.pth) that github.com/valeoai/ADVENT and "
            "github.com/wasidennis/AdaptSegNet link to; for the torchvision form the file that "
            "torchvision.models.ResNet101_Weights names in its url; and put it at this path"
        )
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()  # torch reads flipped bits silently
            if damaged is not None:
                raise zipfile.BadZipFile(f"checksum of {damaged}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:  # its own message advises to load the file unsafely
        raise InputError(
            f"{path}: not weights that can be loaded safely (it is damaged or holds more than tensors and plain "
            "values); download the file again"
        ) from None
    except Exception as error:  # a damaged file of the older format makes torch raise almost anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not weights that can be loaded safely ({reason}); download the file again") from None
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
    """The two disagreements of a published checkpoint with a network that a setting mends."""
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
