"""Published weights of encoders, from local files or packages, into networks of segmentation-models-pytorch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import timm
from safetensors import SafetensorError
from safetensors.torch import load_file
from segmentation_models_pytorch.encoders import encoders
from torch import Tensor, nn

from esl.errors import InputError, one_line
from esl.files import require_file
from esl.models.networks.smp import TIMM, SmpNetwork
from esl.models.registry import LITE0
from esl.models.weights import check_weights, read_tensors

COUNTER = "num_batches_tracked"

LITE0_FIRST = "_conv_stem.weight"
"""EfficientNet-PyTorch has the tensors of ``LITE0`` in the same order under other names; this is the first of those."""


def load_weights(network: SmpNetwork, path: Path) -> None:
    """Loads an encoder's published weights into ``network``; its decoder stays fresh. No code of the file is ever run.

    The file (safetensors, or what ``torch.save`` wrote) holds the weights of timm's model of this name, those of the
    original publication that timm can translate, those of smp's encoder, or, for EfficientNet-Lite0, those of
    github.com/lukemelas/EfficientNet-PyTorch. What belongs to a classifier of images is dropped.

    Raises:
        InputError: the file cannot be read safely, or does not hold this encoder or finite numbers; the network is
            left as it was.
    """
    weights = _read(path)
    own = network.model.encoder.state_dict()
    reasons = []
    for candidate in _candidates(network, weights):
        missing = [name for name in own if name not in candidate and not name.endswith(COUNTER)]
        other = [
            f"{name} {tuple(candidate[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in own.items()
            if name in candidate and candidate[name].shape != tensor.shape
        ]
        if not missing and not other:
            fitting = {name: candidate.get(name, tensor) for name, tensor in own.items()}
            check_weights(path, fitting, fix="download the file again")
            network.model.encoder.load_state_dict(fitting)
            return
        reasons.append(
            (len(missing) + len(other), f"{'other shapes: ' if not missing else 'lacks '}", missing or other)
        )
    _, problem, names = min(reasons)
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    raise InputError(
        f"{path}: expected the {len(own)} tensors of the encoder {network.encoder_name}, but the file {problem}"
        f"{one_line(', '.join(names[:3]))}{rest}; {weights_hint(network.encoder_name)}"
    )


def weights_hint(encoder: str, **_: Any) -> str:
    """Where to get the weights of an encoder, and their licence; other arguments of the network make no difference."""
    if not encoder.startswith(TIMM):
        places = [
            f"huggingface.co/{weights['repo_id']}" for weights in encoders[encoder]["pretrained_settings"].values()
        ]
        return f"get model.safetensors from {' or '.join(places)}, whose page names the licence"
    published = timm.models.get_pretrained_cfg(encoder.removeprefix(TIMM))
    if published is None or not (published.hf_hub_id or published.url):
        return f"timm knows of no published weights of {encoder.removeprefix(TIMM)}; take a file of your own"
    place = f"model.safetensors from huggingface.co/{published.hf_hub_id}" if published.hf_hub_id else published.url
    return f"get {place} (licence: {published.license or 'see its page'})"


def _candidates(network: SmpNetwork, weights: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """The file's tensors under the encoder's names, in each way that a file may name them."""
    own = network.model.encoder.state_dict()
    yield {name.removeprefix("encoder."): tensor for name, tensor in weights.items()}
    plain = {name.replace("_", "."): tensor for name, tensor in weights.items()}  # timm writes stem.1 or stem_1
    yield {name: plain[key] for name in own if (key := name.removeprefix("model.").replace("_", ".")) in plain}
    if network.encoder_name == LITE0 and LITE0_FIRST in weights:
        yield dict(zip(own, weights.values(), strict=False))  # the same order
    if network.encoder_name.startswith(TIMM) and (translated := _translated(network, weights)):
        yield translated


def _translated(network: SmpNetwork, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights as timm reads them into the whole model; timm knows the names of the original publications."""
    name = network.encoder_name.removeprefix(TIMM)
    try:
        model: nn.Module = timm.create_model(
            name, pretrained=True, num_classes=0, pretrained_cfg_overlay={"state_dict": weights, "num_classes": 0}
        )
    except (RuntimeError, KeyError, ValueError):  # weights of something else
        return {}
    return {f"model.{name}": tensor for name, tensor in model.state_dict().items()}


def _read(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a file, on the CPU."""
    if path.suffix == ".safetensors":
        require_file(path, fix="download the file again")
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise InputError(
                f"{path}: not a file of safetensors ({one_line(error)}); download the file again"
            ) from None
    content = read_tensors(path, kind="weights", fix="download the file again", old_format=True)
    if isinstance(content, dict):
        for key in ("state_dict", "model", "teacher"):  # checkpoints of trainings
            if isinstance(content.get(key), dict):
                content = content[key]
                break
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in content.items()
    ):
        raise InputError(f"{path}: expected names and tensors, but it holds something else; take its weights")
    return content
