"""The readers of HDF5 shards, and of what torch and safetensors write."""

import io
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from esl.data.class_sets import CLASS_SETS
from esl.evaluation.confusions import read_confusions, write_confusions
from esl.evaluation.intervals import intervals_of
from esl.labels.shard import Origin, open_shard, write_shard
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.models.networks import deeplabv2_weights, smp_weights
from esl.models.registry import NETWORKS, NetworkEntry
from esl.training.resume import Progress, Saving
from tests.contents import confusions_of
from tests.fuzz.harness import Reader
from tests.fuzz.mutations import ODD_VALUES, damaged, edited

CLASSES = CLASS_SETS["cityscapes19"]
MEASURES = ("entropy",)
IDENTITY = {"seed": 0, "code": "ab12"}


class Tiny(nn.Module):
    """A network whose checkpoint is read a thousand times in a second."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, num_classes, 1), nn.BatchNorm2d(num_classes))


def binary_readers(folder: Path) -> Iterator[Reader]:
    """All of them; ``folder`` is for their sound inputs."""
    torch.manual_seed(0)
    NETWORKS["tiny"] = NetworkEntry(f"{__name__}:Tiny")
    yield Reader("shard", "1-of-1.h5", [_shard(folder / "1-of-1.h5")], _read_shard, _shard_edits, slower=2)
    network = Tiny(len(CLASSES))
    description = Description.of("tiny", CLASSES, {"iterations": 7, "crop": [32, 16]}, {"code": "ab12"})
    save_checkpoint(folder / "checkpoint.pt", network.state_dict(), description)
    checkpoint = (folder / "checkpoint.pt").read_bytes()

    def read_checkpoint(path: Path) -> Any:
        loaded, read = load_checkpoint(path, CLASSES)
        json.dumps(read.provenance | read.settings, allow_nan=False)
        return loaded

    yield Reader("checkpoint.pt", "checkpoint.pt", [checkpoint], read_checkpoint, _tensor_edits)
    yield _state(folder)
    yield from _pretrained()
    matrices = np.random.default_rng(0).integers(0, 3, (3, 19, 19))
    write_confusions(folder / "confusions.npz", confusions_of(matrices))
    arrays = [(folder / "confusions.npz").read_bytes()]
    yield Reader("confusions.npz", "confusions.npz", arrays, _read_confusions, _array_edits)


def _read_confusions(path: Path) -> Any:
    confusions = read_confusions(path)
    intervals_of({"source": confusions}, {})
    return confusions.total()


def _array_edits(chance: Random, content: bytes) -> bytes:
    """Damaged bytes; or an odd array in place of one."""
    if chance.randrange(2):
        return damaged(chance, content)
    with np.load(io.BytesIO(content)) as file:
        arrays = dict(file)
    name = chance.choice([*arrays])
    odd = (*ODD_VALUES, [], [[]], [-1], [2**62] * 3, [1.5, np.nan], ["a", "b"], [b"a"], [[True] * 19] * 2)
    try:
        arrays[name] = np.array(chance.choice(odd))
        memory = io.BytesIO()
        np.savez(memory, **arrays)
    except (TypeError, ValueError, OverflowError, UnicodeError):
        return damaged(chance, content)  # NumPy holds no such value
    return memory.getvalue()


def _shard(path: Path) -> bytes:
    rng = np.random.default_rng(0)
    origin = Origin(CLASSES.classes, "0" * 64, "bilinear", ("flip", 0.75))
    with write_shard(path, 2, origin, stored=("probability", *MEASURES), counted=MEASURES) as writer:
        for number in range(2):
            image = {
                "probability": rng.random((19, 2, 3)).astype(np.float16),
                "label": rng.integers(0, 19, (4, 6), dtype=np.uint8),
                "entropy": rng.integers(0, 65536, (4, 6), dtype=np.uint16),
            }
            writer.append(writer.pack(f"aachen_{number}", image))
    return path.read_bytes()


def _read_shard(path: Path) -> Any:
    with open_shard(path) as shard:
        histograms = [shard.histogram(measure) for measure in shard.counted]
        names = [name for name in ("label", "entropy", "probability") if shard.holds(name)]
        return shard.origin, shard.ids, histograms, [shard.maps(row, names) for row in range(len(shard.ids))]


def _shard_edits(chance: Random, content: bytes) -> bytes:
    """Damaged bytes, of which those at the start hold the structure; or another attribute, or another dataset."""
    kind = chance.randrange(4)
    if kind == 0:
        return damaged(chance, content)
    if kind == 1:
        return damaged(chance, content[:4096]) + content[4096:]
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        try:
            if kind == 2:
                name = chance.choice(list(file.attrs))
                value = chance.choice([*ODD_VALUES, "[]", '"ab"', "[NaN]", "{}", '{"a": 1}', "[null, []]", "[" * 9999])
                del file.attrs[name]
                value = json.dumps(value) if isinstance(value, list | dict) else value
                if isinstance(value, str) and chance.randrange(4):  # the rest has a variable length, and is refused
                    value = np.bytes_(value.encode(errors="surrogatepass"))
                file.attrs[name] = value
            else:
                name = chance.choice(["id", "size", "stride_size", "label", "entropy", "probability"])
                odd = (
                    [[-1, 2]] * 2,
                    [[2**31 - 1] * 2] * 2,
                    [],
                    7,
                    "text",
                    [[1.5, np.nan]] * 2,
                    [b"a", b"\xff"],
                    np.array([b"a", b"\xff"]),
                    np.array([b"../x", b"a"]),
                    ["../x"],
                )
                del file[name]
                value = chance.choice(odd)
                if not isinstance(value, int) or chance.randrange(2):
                    file[name] = value
                elif chance.randrange(2):
                    file.create_group(name)
        except (TypeError, ValueError, OSError, UnicodeError, OverflowError):
            pass  # HDF5 holds no such value
    return memory.getvalue()


ODD_TENSORS = (
    *(torch.nan, torch.inf, 0, -1),
    *(torch.float64, torch.float16, torch.int64, torch.bool, torch.complex64),
    *((), (0,), (2,), (1, 1, 1, 1)),
    *("empty", "sparse", "expanded", "parameter", None, 1.0, "text", [], {}),
)


def _odd(chance: Random, value: Any) -> Any:
    """A value of a tree with tensors, made odd."""
    odd = chance.choice(ODD_TENSORS if isinstance(value, Tensor) else ODD_VALUES)
    if not isinstance(value, Tensor):
        return odd
    if isinstance(odd, torch.dtype):
        return value.to(odd)
    if isinstance(odd, tuple):
        return torch.zeros(odd)
    if odd in (torch.inf, 0, -1) or odd != odd:
        changed = value.detach().clone()
        changed.reshape(-1)[chance.randrange(max(1, changed.numel())) :] = odd if changed.is_floating_point() else -1
        return changed
    kinds = {
        "empty": lambda: torch.empty(0),
        "sparse": lambda: value.detach().to_sparse(),
        "expanded": lambda: torch.zeros(1).expand(10**12),
        "parameter": lambda: nn.Parameter(torch.zeros(2)),
    }
    return kinds[odd]() if isinstance(odd, str) and odd in kinds else odd


def _tensor_edits(chance: Random, content: bytes) -> bytes:
    """A file of torch with damaged bytes, or with edited values, in the same format where that takes them."""
    if chance.randrange(2):
        return damaged(chance, content)
    try:
        tree = edited(chance, torch.load(io.BytesIO(content), weights_only=True), _odd)
    except RuntimeError:  # an odd tensor cannot be copied
        return damaged(chance, content)
    try:
        return _saved(tree, _use_new_zipfile_serialization=content.startswith(b"PK"))
    except (RuntimeError, NotImplementedError):  # the older format takes fewer kinds of tensors
        return _saved(tree)


def _saved(content: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def _state(folder: Path) -> Reader:
    """last.pt; a state that is none of this training's starts it again."""
    network = Tiny(2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    sum(each.sum() for each in network.parameters()).backward()
    optimizer.step()
    losses = ("target_loss", "adaptation_loss", "labelled_loss", "target_labelled")
    row = {"iteration": 2, "learning_rate": 0.1, "source_loss": 0.5, **dict.fromkeys(losses, 0.0)}
    progress = Progress(3, [row], 1, 0.1, torch.ones(5))
    progress.save(Saving(folder / "last.pt", 1, IDENTITY), {"network": network, "optimizer": optimizer})

    def read(path: Path) -> Any:
        fresh = deepcopy(network)
        parts = {"network": fresh, "optimizer": torch.optim.SGD(fresh.parameters(), lr=0.1, momentum=0.9)}
        resumed = Progress.resume(Saving(path, 1, IDENTITY), parts, 10)
        if resumed.iteration:
            resumed.count(0.1, torch.ones(5))
            resumed.close_row()
        return resumed, fresh, parts["optimizer"].state_dict()["state"]

    return Reader("last.pt", "last.pt", [(folder / "last.pt").read_bytes()], read, _tensor_edits)


def _pretrained() -> Iterator[Reader]:
    """Published weights, for stand-ins of the networks that are small enough."""
    network = Tiny(2)
    encoder: Any = SimpleNamespace(model=SimpleNamespace(encoder=network), encoder_name="resnet18")

    def into_encoder(path: Path) -> Any:
        smp_weights.load_weights(encoder, path)
        return network

    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    safe = [save(weights), save({f"encoder.{name}": tensor for name, tensor in weights.items()})]
    old = [_saved(weights), _saved({"state_dict": weights}), _saved(weights, _use_new_zipfile_serialization=False)]
    yield Reader("weights, safetensors", "model.safetensors", safe, into_encoder, _safe_edits)
    yield Reader("weights, smp", "model.pth", old, into_encoder, _tensor_edits)
    resnet: Any = Tiny(2)
    resnet.form = "torchvision"
    of_torchvision = {**weights, "fc.weight": torch.zeros(2, 2)}

    def into_deeplab(path: Path) -> Any:
        deeplabv2_weights.load_weights(resnet, path)
        return resnet

    both = [_saved(of_torchvision), _saved(of_torchvision, _use_new_zipfile_serialization=False)]
    yield Reader("weights, deeplabv2", "resnet.pth", both, into_deeplab, _tensor_edits)


def _safe_edits(chance: Random, content: bytes) -> bytes:
    """A file of safetensors with damaged bytes, or with edited values of its header."""
    if chance.randrange(3) == 0:
        return damaged(chance, content)
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(edited(chance, json.loads(content[8 : 8 + length]))).encode()
    data = content[8 + length :]
    if chance.randrange(3) == 0:
        data = damaged(chance, data)
    return len(header).to_bytes(8, "little") + header + data
