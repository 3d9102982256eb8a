"""The HDF5 shard: a model's predictions and their confidence, for a part of the target training set."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from esl.errors import InputError, one_line
from esl.files import atomic_path, require_file
from esl.labels import hdf5_chunks as chunks
from esl.labels.fixed_point import CODES, count_codes
from esl.labels.measures.base import Maps
from esl.labels.shard_checks import SIZES, are_possible, attribute, check_sizes, datasets_of, origin_of
from esl.labels.thresholds import Thresholds

FORMAT_VERSION = 3


@dataclass(frozen=True)
class Origin:
    """The origin of a shard's maps; equal for all shards of one model."""

    classes: tuple[str, ...]
    checkpoint_sha256: str
    interpolation: str
    views: tuple[str | float, ...] = ()
    """Views averaged with the plain one; written only where there are any."""

    def taught(self, thresholds: Thresholds) -> bool:
        """Whether a round, by the content of its thresholds.json, was made from these maps."""
        made_from = thresholds.teacher_sha256, (*thresholds.views,)
        return made_from == (self.checkpoint_sha256, self.views)


@dataclass(frozen=True)
class Planes:
    """Rows and columns of every stored map; maps of smaller images are padded with zeros."""

    maps_hw: tuple[int, int]
    probability_hw: tuple[int, int]  # at the network's stride

    def of(self, name: str) -> tuple[int, int]:
        """Rows and columns of the map called ``name``."""
        return self.probability_hw if name == "probability" else self.maps_hw


@dataclass(frozen=True)
class PackedImage:
    """The maps of an image, and the compressed chunks of those that a shard stores."""

    id: str
    maps: Maps
    chunks: dict[str, bytes]


class ShardWriter:
    """Fills a shard image by image; histograms are counted from the codes as they are stored.

    Datasets: ``id`` (N) utf-8; ``label`` (N, H, W) uint8; ``histogram/{measure}`` (C, 65536) int64 of each counted
    measure; and of ``stored`` maps ``probability`` (N, C, h, w) float16 and the measures' (N, H, W) uint16, fixed point
    value/65535. ``size`` and ``stride_size`` (N, 2) int32 are the rows and columns of an image's maps and of its
    ``probability``: maps of smaller images are padded with zeros.

    All text has a fixed length: HDF5 keeps other text in global heaps, without a checksum, and reads some damaged heaps
    without end.
    """

    def __init__(
        self,
        file: h5py.File,
        num_images: int,
        origin: Origin,
        *,
        stored: Collection[str],
        counted: Collection[str],
        planes: Planes | None,
    ) -> None:
        self._file, self._num_images, self._planes = file, num_images, planes
        self._stored = {"label", *stored}
        self._ids: list[str] = []
        self._sizes: dict[str, list[tuple[int, ...]]] = {name: [] for name in SIZES}
        num_classes = len(origin.classes)
        self._histograms = {measure: np.zeros((num_classes, CODES), dtype=np.int64) for measure in counted}
        file.attrs["format_version"] = FORMAT_VERSION
        texts = {"checkpoint_sha256": origin.checkpoint_sha256, "interpolation": origin.interpolation}
        texts["class_set"] = json.dumps(origin.classes)
        if origin.views:
            texts["views"] = json.dumps(origin.views)
        for name, text in texts.items():
            file.attrs[name] = np.bytes_(text)

    def pack(self, id_: str, maps: Maps) -> PackedImage:
        """Compresses the maps of an image in the caller's thread; any number of threads may pack at once.

        ``maps`` are ``probability`` (C, h, w), and ``label`` and the codes of every counted measure (H, W).
        """
        stored = {name: self._padded(name, maps[name]) for name in maps if name in self._stored}
        return PackedImage(id_, maps, {name: chunks.compressed(plane) for name, plane in stored.items()})

    def _padded(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """A map (..., H, W) at the size of its plane."""
        if self._planes is None:
            return values
        padding = [plane - own for plane, own in zip(self._planes.of(name), values.shape[-2:], strict=True)]
        if not any(padding):
            return values
        return np.pad(values, [*[(0, 0)] * (values.ndim - 2), *((0, rest) for rest in padding)])

    def append(self, image: PackedImage) -> None:
        """Stores the next image; one thread at a time."""
        row = len(self._ids)
        self._ids.append(image.id)
        self._sizes["size"].append(image.maps["label"].shape)
        self._sizes["stride_size"].append(image.maps["probability"].shape[-2:])
        for name, chunk in image.chunks.items():
            if name not in self._file:
                own = image.maps[name].shape
                plane = self._planes.of(name) if self._planes else own[-2:]
                shape = (self._num_images, *own[:-2], *plane)
                chunks.create_dataset(self._file, name, shape, image.maps[name].dtype)
            chunks.write(self._file[name], row, chunk)
        for measure, histogram in self._histograms.items():
            count_codes(histogram, image.maps["label"], image.maps[measure])

    def finish(self) -> None:
        """Writes ids, sizes and histograms; every announced image must have been stored."""
        assert len(self._ids) == self._num_images, (len(self._ids), self._num_images)
        ids = [id_.encode() for id_ in self._ids]
        self._write_whole("id", ids, h5py.string_dtype("utf-8", max(map(len, ids), default=1)))
        for name, sizes in self._sizes.items():
            self._write_whole(name, np.reshape(sizes, (-1, 2)), np.dtype(np.int32))
        for measure, histogram in self._histograms.items():
            dataset = chunks.create_dataset(self._file, f"histogram/{measure}", histogram.shape, histogram.dtype)
            for row, counts in enumerate(histogram):
                chunks.write(dataset, row, chunks.compressed(counts))

    def _write_whole(self, name: str, values: ArrayLike, dtype: np.dtype[Any]) -> None:
        """Stores a dataset as one chunk under a checksum; HDF5 has no chunks of no values."""
        array = np.asarray(values, dtype)
        chunk = array.shape if array.size else None
        self._file.create_dataset(name, data=array, chunks=chunk, fletcher32=chunk is not None)


@contextmanager
def write_shard(
    path: Path,
    num_images: int,
    origin: Origin,
    *,
    stored: Collection[str],
    counted: Collection[str],
    planes: Planes | None = None,
) -> Iterator[ShardWriter]:
    """Opens a writer for ``num_images`` images; the whole file appears under ``path`` when the block succeeds.

    Files are not locked: one process writes a part and renames it when it is whole, and some file systems have no
    locks.

    ``stored`` are the maps to store next to ``label``, ``counted`` the measures that get a histogram, stored or not;
    ``planes`` are needed where the images differ in size.
    """
    version = "v110"  # the oldest whose structure has checksums: HDF5 crashes on some damaged older ones
    with atomic_path(path) as part, h5py.File(part, "w", locking=False, libver=(version, version)) as file:
        writer = ShardWriter(file, num_images, origin, stored=stored, counted=counted, planes=planes)
        yield writer
        writer.finish()


class Shard:
    """A shard open for reading; ``open_shard`` checks it first."""

    def __init__(self, file: h5py.File) -> None:
        self._path = file.filename
        self.origin = Origin(*origin_of(file.attrs))
        self._datasets = datasets_of(file, len(self.origin.classes))
        self.ids: list[str] = [id_.decode() for id_ in self._datasets["id"][:]]
        if len(set(self.ids)) < len(self.ids):
            raise ValueError("'id' holds one twice")
        self._sizes = {name: self._datasets[name][:] for name in SIZES}
        check_sizes(self._sizes, self._datasets)

    @property
    def counted(self) -> list[str]:
        """The measures that the shard has a histogram of, in alphabetical order."""
        return sorted(name.removeprefix("histogram/") for name in self._datasets if name.startswith("histogram/"))

    def histogram(self, measure: str) -> NDArray[np.int64]:
        """Pixels of each predicted class at each code of ``measure``: (C, 65536) int64.

        Raises:
            InputError: the shard has no such histogram, or a damaged one.
        """
        return self._read(f"histogram/{measure}", slice(None))

    def maps(self, row: int, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """The maps of one image by their ``names``, without padding: see ``ShardWriter``.

        Raises:
            InputError: the shard does not hold such a map, or a damaged one.
        """
        maps = {}
        for name in names:
            rows, columns = self._sizes["stride_size" if name == "probability" else "size"][row]
            maps[name] = self._read(name, row)[..., :rows, :columns]
        return maps

    def holds(self, name: str) -> bool:
        """Whether the shard stores the map called ``name``."""
        return name in self._datasets

    def _read(self, name: str, rows: int | slice) -> NDArray[Any]:
        """Rows of a dataset; InputError names the file when it is missing, damaged or has values out of range."""
        if name not in self._datasets:
            map_ = name.removeprefix("histogram/")
            raise InputError(f"{self._path}: holds no {map_!r} map; add it to inference.maps and infer again")
        try:
            values = np.asarray(self._datasets[name][rows])
            if not are_possible(name, values, len(self.origin.classes)):
                raise ValueError("values out of range")
        except Exception as error:  # h5py raises almost anything for a damaged file
            raise InputError(
                f"{self._path}: {name!r} is damaged ({one_line(error)}); delete it and run the workflow again"
            ) from None
        return values


@contextmanager
def open_shard(path: Path) -> Iterator[Shard]:
    """Opens a shard for reading.

    Raises:
        InputError: the file is missing, damaged or of another version.
    """
    require_file(path, fix=f"run the stage that writes it: snakemake {path}")
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise InputError(
            f"{path}: not a readable HDF5 file ({one_line(error)}); delete it and run the workflow again"
        ) from None
    with file:
        yield _shard_in(file, path)


def _shard_in(file: h5py.File, path: Path) -> Shard:
    """The shard in an open file; raises the errors of ``open_shard``."""
    try:
        version = attribute(file.attrs, "format_version")
        if np.ndim(version) or version != FORMAT_VERSION:
            raise InputError(
                f"{path}: expected maps of format {FORMAT_VERSION}, but another release wrote these; delete it and"
                " infer again: run the workflow"
            )
        return Shard(file)
    except InputError:
        raise
    except Exception as error:  # h5py raises almost anything for a damaged file
        raise InputError(f"{path}: damaged ({one_line(error)}); delete it and run the workflow again") from None


def same_origin(paths: list[Path]) -> Origin:
    """The origin that all shards share; InputError when they come from different models or views."""
    origins = {}
    for path in paths:
        with open_shard(path) as shard:
            origins[path] = shard.origin
    if len(set(origins.values())) != 1:
        names = ", ".join(str(path) for path in paths)
        raise InputError(f"{names}: shards of different models or views; delete them and run the workflow again")
    return origins[paths[0]]


def teacher_of(paths: list[Path], thresholds: Thresholds, path: Path) -> Origin:
    """The one origin of all shards, from which a round was made by the content of its thresholds.json, ``path``.

    Raises:
        InputError: the shards come from different models or views, or the round was made from others.
    """
    origin = same_origin(paths)
    if not origin.taught(thresholds) or tuple(thresholds.classes) != origin.classes:
        raise InputError(
            f"{path}: made with another teacher or other views than {paths[0]}, or for other classes; delete it and run"
            " the workflow again"
        )
    return origin
