"""Checks of an HDF5 file that is opened as a shard, before any map is read.

HDF5 can refer to other files, claim terabytes in a few bytes, and read damaged text of variable length without end;
h5py raises almost anything for a damaged file.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from esl.labels.fixed_point import CODES

MOST_PIXELS = 2**28
"""The largest map, as the largest image that is read."""

SIZES = ("size", "stride_size")
"""Rows and columns of an image's maps, and of its ``probability``."""


def attribute(attributes: h5py.AttributeManager, name: str) -> Any:
    """Reads an attribute, with bytes as text; ``None`` where there is none.

    Raises:
        Exception: its text has a variable length, or cannot be decoded.
    """
    if name not in attributes:
        return None
    if attributes.get_id(name).dtype.hasobject:
        raise ValueError(f"{name}: expected text of a fixed length")
    value = attributes[name]
    return value.decode() if isinstance(value, bytes) else value


def origin_of(attributes: h5py.AttributeManager) -> tuple[tuple[str, ...], str, str, tuple[str | float, ...]]:
    """Reads the classes, the checkpoint's digest, the interpolation and the views.

    Raises:
        Exception: one is missing or of another kind.
    """
    names = ("class_set", "checkpoint_sha256", "interpolation", "views")
    class_set, checkpoint, interpolation, averaged = (attribute(attributes, name) for name in names)
    classes, views = json.loads(class_set), json.loads("[]" if averaged is None else averaged)
    if not isinstance(classes, list) or not all(map(_is_name, classes)) or not 0 < len(classes) == len(set(classes)):
        raise ValueError("class_set: expected the names of classes")
    if not isinstance(views, list) or not all(map(_is_view, views)):
        raise ValueError("views: expected names and factors")
    if not _is_name(checkpoint) or not _is_name(interpolation):
        raise ValueError("checkpoint_sha256 and interpolation: expected text")
    return tuple(classes), checkpoint, interpolation, tuple(views)


def datasets_of(file: h5py.File, num_classes: int) -> dict[str, h5py.Dataset]:
    """Finds the datasets of a shard by name, with the shapes and types of ``ShardWriter``.

    Raises:
        Exception: one is missing, of another shape or type, impossibly large, or lies in another file.
    """
    datasets = dict(_datasets(file))
    ids = datasets["id"]
    num_images, text = len(ids), h5py.check_string_dtype(ids.dtype)
    if text is None or text.length is None or ids.nbytes > file.id.get_filesize():
        raise ValueError("'id': expected text of a fixed length, no more of it than the file can hold")
    maps_hw = datasets["label"].shape[1:] if num_images else ()
    expected = {
        "id": ((num_images,), ids.dtype),
        "size": ((num_images, 2), np.int32),
        "stride_size": ((num_images, 2), np.int32),
        "label": ((num_images, *maps_hw), np.uint8),
        "probability": ((num_images, num_classes, *datasets.get("probability", ids).shape[2:]), np.float16),
    }
    for name, dataset in datasets.items():
        histogram = name.startswith("histogram/")
        other = ((num_classes, CODES), np.int64) if histogram else ((num_images, *maps_hw), np.uint16)
        shape, dtype = expected.get(name, other)
        if dataset.shape != shape or dataset.dtype != dtype:
            raise ValueError(
                f"{name!r}: expected {shape} of {np.dtype(dtype)}, but got {dataset.shape} of {dataset.dtype}"
            )
        if not histogram and name not in ("id", *SIZES) and not _is_plane(dataset.shape[-2:], dataset.ndim):
            raise ValueError(f"{name!r}: maps of {dataset.shape}")
    return datasets


def check_sizes(sizes: Mapping[str, Any], datasets: Mapping[str, h5py.Dataset]) -> None:
    """Raises ValueError unless every size (N, 2) is positive and fits its map."""
    for name, map_ in zip(SIZES, ("label", "probability"), strict=True):
        plane = datasets[map_].shape[-2:] if map_ in datasets else (MOST_PIXELS, MOST_PIXELS)
        if not ((sizes[name] > 0) & (sizes[name] <= plane)).all():
            raise ValueError(f"{name!r}: expected sizes up to that of {map_!r}, {plane}")


def are_possible(name: str, values: Any, num_classes: int) -> bool:
    """Whether a map or histogram called ``name`` can hold these values."""
    if not values.size:
        return True
    if name == "label":
        return bool(values.max() < num_classes)
    if name == "probability":
        return bool(values.min() >= 0 and values.max() <= 1)  # both are false for NaN
    return bool(values.min() >= 0)


def _datasets(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    for name in _paths(file):
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name!r} is a link")
        if name == "histogram":
            continue
        dataset = file[name]
        if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external:
            raise ValueError(f"{name!r} is not a dataset of this file")
        yield name, dataset


def _paths(file: h5py.File) -> Iterator[str]:
    for name in file:
        yield name
        if name == "histogram":
            yield from (f"histogram/{measure}" for measure in file[name])


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_view(value: object) -> bool:
    return _is_name(value) or (isinstance(value, int | float) and math.isfinite(value))


def _is_plane(shape: tuple[int, ...], num_axes: int) -> bool:
    return num_axes > 2 and 0 < shape[0] * shape[1] <= MOST_PIXELS
