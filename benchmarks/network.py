"""The paper's network: a training step and target inference as they are published, and as this project runs them.

    python -m benchmarks.network        # ResNet-101 at 1024 x 512 on a GPU; without one, a small part of it on the CPU

Published: float32, one source and one target picture per iteration, read and decoded in turn in the training's own
process, the loss read back every iteration (ADVENT's public code); inference picture by picture, every map of all
classes upsampled and copied to the host. Ours: the loops of the stages.
"""

import argparse
import json
import math
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from miniature.data_set import render_miniature
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from esl.classes import id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.registry import format_named
from esl.data.index import Index
from esl.data.inspection import Checks, inspect
from esl.data.label_tables import CITYSCAPES_LABELS
from esl.data.stream import Augmentation, Pairs, Stream
from esl.labels.confidence import INTERPOLATION
from esl.labels.inference import write_maps
from esl.labels.measures.entropy import normalised_entropy
from esl.labels.measures.registry import MEASURES, measure_named
from esl.labels.shard import Origin, write_shard
from esl.models.networks.deeplabv2 import DeepLabV2
from esl.models.predictor import Predictor
from esl.stages.command import size
from esl.stages.device import make_fabric
from esl.training.loop import Saving, TrainingSettings, train
from esl.training.terms.advent.discriminator import Discriminator
from esl.training.terms.entropy import Domain, adversarial_loss, weighted_self_information

CLASSES = CLASS_SETS["cityscapes19"]
FULL_BLOCKS, SMALL_BLOCKS = (3, 4, 23, 3), (1, 1, 2, 1)
FULL_SIZE, SMALL_SIZE = (1024, 512), (256, 128)
PICTURES = 8
WARM = 2
"""Iterations before the clock runs."""


WORKS = (
    "training, published",
    "training, this project",
    "training, compiled",
    "training, activations twice",
    "inference, published",
    "inference, this project",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gpu = torch.cuda.is_available()
    parser.add_argument("--blocks", type=int, nargs=4, default=FULL_BLOCKS if gpu else SMALL_BLOCKS)
    parser.add_argument("--size", type=size, default=FULL_SIZE if gpu else SMALL_SIZE, help="of both domains' pictures")
    parser.add_argument("--iterations", type=int, default=40 if gpu else 12, help="of training; twice as many maps")
    parser.add_argument("--batch", type=int, default=4, help="pictures at a time of our inference on a GPU")
    parser.add_argument("--workers", type=int, default=4 if gpu else 1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", choices=WORKS, help="measure this here, and print it as JSON")
    flags = parser.parse_args()
    if flags.only:
        print(json.dumps(_measured(flags)))
        return
    rows = {}
    for what in WORKS:  # each in a process of its own, whose peak memory is its own
        command = [sys.executable, "-m", "benchmarks.network", *sys.argv[1:], "--only", what]
        rows[what] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    first = next(iter(rows.values()))
    width, height = flags.size
    print(f"{first['device']}, {flags.threads} threads; pictures of {width}x{height}, blocks {tuple(flags.blocks)}")
    print(f"training: 1 source and 1 target picture; inference: 1, ours {flags.batch} on a GPU")
    print("share: of the TFLOP/s of a large matrix product in the same precision on the same device\n")
    print("| what | precision | images/s | peak MB | TFLOP/s | share | ratio |\n|---|---|---:|---:|---:|---:|---:|")
    for what, row in rows.items():
        peak = max(other["matrix_tflops"] for other in rows.values() if other["precision"] == row["precision"])
        published = rows[f"{what.partition(',')[0]}, published"]
        cells = (
            row["precision"],
            f"{row['rate']:.2f}",
            f"{row['peak_mb']:.0f}",
            f"{row['tflops']:.3f}",
            f"{row['tflops'] / peak:.0%}",
            f"{row['rate'] / published['rate']:.1f}",
        )
        print(f"| {what} | {' | '.join(cells)} |")


def _measured(flags: argparse.Namespace) -> dict[str, Any]:
    """One of ``WORKS``: images per second, peak memory, and floating-point operations per second."""
    published = flags.only.endswith("published")
    flags.accelerator, flags.precision, flags.devices = "auto", "32-true" if published else "auto", 1
    fabric = make_fabric(flags)
    clock = _Clock(fabric.device)
    with tempfile.TemporaryDirectory() as name:
        index = _index(Path(name), flags.size)
        work: dict[str, Callable[[], None]] = {
            "training, published": partial(_published_steps, index, flags, clock),
            "training, this project": partial(_our_steps, index, flags, clock, fabric),
            "training, compiled": partial(_our_steps, index, flags, clock, fabric, compiled=True),
            "training, activations twice": partial(_our_steps, index, flags, clock, fabric, twice=True),
            "inference, published": partial(_published_maps, index, flags, clock),
            "inference, this project": partial(_our_maps, index, flags, clock, fabric),
        }
        work[flags.only]()
        seconds, peak = clock.stop()
        counted = _published_steps if flags.only.startswith("training") else _published_maps
        with FlopCounterMode(display=False) as counter:  # the same whoever does it
            once = argparse.Namespace(**{**vars(flags), "iterations": 1 - WARM})
            counted(index, once, _Clock(fabric.device))
    rate = 2 * flags.iterations / seconds
    return {
        "device": torch.cuda.get_device_name() if fabric.device.type == "cuda" else _processor(),
        "precision": flags.precision,
        "rate": rate,
        "peak_mb": peak,
        "tflops": rate * counter.get_total_flops() / 2 / 1e12,  # an iteration is two images
        "matrix_tflops": _matrix_tflops(fabric.device, flags),
    }


def _matrix_tflops(device: torch.device, flags: argparse.Namespace) -> float:
    """What a product of large square matrices reaches, in 10^12 operations per second: the best of ten."""
    torch.set_num_threads(flags.threads)  # inference on a CPU has one for each picture
    dtype = torch.bfloat16 if flags.precision.startswith("bf16") else torch.float32
    length, best = 8192 if device.type == "cuda" else 2048, math.inf
    matrix = torch.rand(length, length, device=device, dtype=dtype)
    for _ in range(10):
        start = time.perf_counter()
        product = matrix @ matrix
        product[0, 0].item()  # waits for the device
        best = min(best, time.perf_counter() - start)
    return 2 * length**3 / best / 1e12


def _processor() -> str:
    return f"{torch.cpu.get_capabilities()['cpu_name']} ({platform.machine()})"


def _index(folder: Path, size: tuple[int, int]) -> Index:
    """Rendered pictures with labels."""
    counts = {"source": 1, "target_train": PICTURES, "target_val": 1}
    settings = {"seed": 0, "width": size[0], "height": size[1], "shift": 0.8}
    render_miniature(folder / "cityscapes", "cityscapes", counts, settings, workers=1)
    return inspect("cityscapes", format_named("cityscapes"), folder / "cityscapes", "train", CLASSES, Checks()).checked()


class _Clock:
    """Runs from the end of the warm-up; looks at the peak of memory from the beginning."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._begun = math.nan

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def start(self) -> None:
        self._begun = self._now()

    def stop(self) -> tuple[float, float]:
        """Seconds, and peak memory in MB: of the GPU, or of this process."""
        seconds = self._now() - self._begun
        if self.device.type == "cuda":
            return seconds, torch.cuda.max_memory_allocated() / 2**20
        return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _network(flags: argparse.Namespace) -> DeepLabV2:
    torch.manual_seed(0)
    return DeepLabV2(len(CLASSES), blocks=tuple(flags.blocks))


# --------------------------------------------------------------------------------------------------------- published


def _pair(index: Index, number: int, device: torch.device) -> tuple[Tensor, Tensor]:
    sample = index.samples[number % PICTURES]
    picture = torch.from_numpy(index.read_image(sample).copy()).permute(2, 0, 1)[None].float() / 255
    label = torch.from_numpy(index.read_label(sample).copy())[None].long()
    return picture.to(device), label.to(device)


def _published_steps(index: Index, flags: argparse.Namespace, clock: _Clock) -> None:
    """AdvEnt's iteration: two domains, two outputs, two discriminators."""
    device = clock.device
    network = _network(flags).to(device).train()
    optimizer = torch.optim.SGD(network.parameter_groups(2.5e-4), lr=2.5e-4, momentum=0.9, weight_decay=5e-4)
    discriminators = [Discriminator(len(CLASSES)).to(device) for _ in range(2)]
    adams = [torch.optim.Adam(each.parameters(), lr=1e-4, betas=(0.9, 0.99)) for each in discriminators]

    def full(logits: Tensor, label: Tensor) -> Tensor:
        return F.interpolate(logits, size=label.shape[-2:], mode="bilinear", align_corners=True)

    for iteration in range(WARM + flags.iterations):
        if iteration == WARM:
            clock.start()
        (picture, label), (target, other) = (_pair(index, iteration + shift, device) for shift in (0, 3))
        for each in (optimizer, *adams):
            each.zero_grad()
        for discriminator in discriminators:
            discriminator.requires_grad_(False)
        source_maps = [full(logits, label) for logits in network(picture)]
        losses = [F.cross_entropy(logits, label, ignore_index=255) for logits in source_maps]
        torch.autograd.backward(losses[0] + 0.1 * losses[1])
        target_maps = [full(logits, other) for logits in network(target)]
        judged = [
            d(weighted_self_information(maps.softmax(1))) for d, maps in zip(discriminators, target_maps, strict=True)
        ]
        fooled = [weight * adversarial_loss(each, "source") for weight, each in zip((1e-3, 2e-4), judged, strict=True)]
        torch.autograd.backward(fooled[0] + fooled[1])
        optimizer.step()
        for number, (discriminator, adam) in enumerate(zip(discriminators, adams, strict=True)):
            discriminator.requires_grad_(True)
            domains: dict[Domain, list[Tensor]] = {"source": source_maps, "target": target_maps}
            for domain, maps in domains.items():
                told = discriminator(weighted_self_information(maps[number].detach().softmax(1)))
                torch.autograd.backward(adversarial_loss(told, domain) / 2)
            adam.step()
        losses[0].item()  # the progress that is printed


def _published_maps(index: Index, flags: argparse.Namespace, clock: _Clock) -> None:
    """Every picture's probabilities at full size, on the host, and from there its label and entropy."""
    network, device = _network(flags).to(clock.device).eval(), clock.device
    for number in range(2 * (WARM + flags.iterations)):
        if number == 2 * WARM:
            clock.start()
        picture, label = _pair(index, number, device)
        with torch.no_grad():
            probability = network(picture).main.softmax(1)
            whole = F.interpolate(probability, size=label.shape[-2:], mode="bilinear", align_corners=True).cpu()
        whole.argmax(1)
        normalised_entropy(whole)


# --------------------------------------------------------------------------------------------------------------- ours


def _our_steps(
    index: Index,
    flags: argparse.Namespace,
    clock: _Clock,
    fabric: Fabric,
    compiled: bool = False,
    twice: bool = False,
) -> None:
    iterations = WARM + flags.iterations
    settings = TrainingSettings(
        seed=0, iterations=iterations, schedule=250_000, optimizer="sgd", learning_rate=2.5e-4, momentum=0.9,
        weight_decay=5e-4, power=0.9, source_batch=1, target_batch=1, accumulate=1, pseudo_label_weight=1.0,
        auxiliary_weight=0.1, adaptation="advent", adaptation_weight=1e-3, auxiliary_adaptation_weight=2e-4,
        discriminator_rate=1e-4, label_stride=1, batch_norm="shared", compile=compiled, log_every=1000,
    )  # fmt: skip
    files = [(index.image(sample), index.label(sample)) for sample in index.samples]
    whole = Augmentation(None, 1.0, 0.0, 0.0, 0.0)
    table = id_table(CITYSCAPES_LABELS, CLASSES)
    source = Stream(Pairs(files, table, None), whole, (0, 0))
    target = Stream(Pairs([(picture, None) for picture, _ in files], table, None), whole, (0, 1))
    with tempfile.TemporaryDirectory() as folder:
        saving = Saving(Path(folder) / "last.pt", 10**9, {}, 1, lambda done: clock.start() if done == WARM else None)
        train(
            _network(flags), source, target, settings,
            fabric=fabric, workers=flags.workers, saving=saving, activation_checkpointing=twice,
        )  # fmt: skip


def _our_maps(index: Index, flags: argparse.Namespace, clock: _Clock, fabric: Fabric) -> None:
    predictor = Predictor(_network(flags), fabric)
    with tempfile.TemporaryDirectory() as folder:
        for name, number in (("warm", WARM), ("timed", flags.iterations)):
            clock.start()
            samples = [index.samples[position % PICTURES] for position in range(2 * number)]
            origin = Origin(CLASSES.classes, "", INTERPOLATION)
            predictions = predictor.predictions(index, samples, to=None, batch=flags.batch, workers=flags.threads)
            path, stored = Path(folder) / f"{name}.h5", (*MEASURES, "probability")
            with write_shard(path, len(samples), origin, stored=stored, counted=MEASURES) as writer:
                write_maps(predictions, [measure_named(key) for key in MEASURES], writer, workers=flags.threads)


if __name__ == "__main__":
    main()
