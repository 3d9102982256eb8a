"""The time of each step for one image on one thread: where the engine's time goes, and its lower bound."""

import io
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from esl.labels.confidence import INTERPOLATION, confidence_maps, plain_confidence_maps
from esl.labels.fixed_point import CODES, count_codes
from esl.labels.measures.build import measure_named
from esl.labels.measures.registry import MEASURES
from esl.labels.methods.build import build_method
from esl.labels.png import write_png
from esl.labels.shard import Origin, open_shard, write_shard
from esl.models.predictor import stride_probability
from performance.scenes import CLASSES, SIZE_HW, scene_logits
from performance.timing import best_ms

ESL = build_method("esl")
EVERY_MEASURE = [measure_named(name) for name in MEASURES]


def measure_parts() -> dict[str, float]:
    """Milliseconds of each step for one image, and of the same confidence step in plain PyTorch."""
    torch.set_num_threads(1)
    logits = scene_logits(3)[None]
    probability = stride_probability(logits)[0]
    maps = {"probability": probability.half().numpy(), **confidence_maps(probability, SIZE_HW, EVERY_MEASURE)}
    histogram = np.zeros((len(CLASSES), CODES), dtype=np.int64)
    thresholds = [0.1] * len(CLASSES)
    label = ESL.label(maps, thresholds)
    origin, stored = Origin(CLASSES.classes, "", INTERPOLATION), (*MEASURES, "probability")

    def count() -> None:
        for measure in MEASURES:
            count_codes(histogram, maps["label"], maps[measure])

    with tempfile.TemporaryDirectory() as name:
        path, images = Path(name) / "1-of-1.h5", 4

        def write() -> None:
            with write_shard(path, images, origin, stored=stored, counted=MEASURES) as writer:
                for _ in range(images):
                    writer.append(packed)

        with write_shard(path, 1, origin, stored=stored, counted=MEASURES) as writer:
            packed = writer.pack("0", maps)
            pack_ms = best_ms(lambda: writer.pack("0", maps))
            writer.append(packed)
        write_ms = best_ms(write, 3) / images
        count_ms = best_ms(count)
        with open_shard(path) as shard:
            read_ms = best_ms(lambda: shard.maps(0, ESL.maps))
        return {
            "softmax": best_ms(lambda: stride_probability(logits)),
            "confidence, plain PyTorch": best_ms(lambda: plain_confidence_maps(probability, SIZE_HW, EVERY_MEASURE)),
            "confidence, in tiles": best_ms(lambda: confidence_maps(probability, SIZE_HW, EVERY_MEASURE)),
            "histograms": count_ms,
            "compressing maps": pack_ms,
            "writing maps": max(0.0, write_ms - count_ms),
            "reading maps": read_ms,
            "masking": best_ms(lambda: ESL.label(maps, thresholds)),
            "writing the PNG": best_ms(lambda: write_png(Path(name) / "a.png", label, CLASSES)),
        }


def measure_png_levels() -> dict[str, dict[str, float]]:
    """Kilobytes and milliseconds of a pseudo-label PNG by compression level."""
    probability = stride_probability(scene_logits(3)[None])[0]
    label = ESL.label(confidence_maps(probability, SIZE_HW, EVERY_MEASURE), [0.1] * len(CLASSES))
    image = Image.fromarray(label)
    image.putpalette(CLASSES.palette())
    levels = {}
    for level in (0, 1, 2, 3, 4, 6, 9):
        stream = io.BytesIO()
        image.save(stream, format="PNG", compress_level=level)
        milliseconds = best_ms(lambda level=level: image.save(io.BytesIO(), format="PNG", compress_level=level))  # type: ignore[misc]
        levels[str(level)] = {"kb": len(stream.getvalue()) / 1000, "ms": milliseconds}
    return levels
