"""The readers of JSON and YAML, of lists, and of MATLAB's files."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from random import Random
from typing import Any

import numpy as np
import yaml
from PIL import Image
from planning.config import read_config
from scipy.io import savemat

from esl.contents import Content
from esl.data.changes import State, record_of, state, stats_of, write_record
from esl.data.formats.build import format_named
from esl.data.formats.mapillary import labels_of
from esl.data.index import Index, read_index
from esl.data.splits import listing_of
from esl.errors import InputError
from esl.evaluation.contents import read_scores, read_table
from esl.labels.manifest import read_any_manifest, read_manifest
from esl.labels.png import checked_files
from esl.labels.thresholds import read_thresholds
from esl.labels.writer import joined
from esl.stages.doctor import read_declarations
from tests.configs import SMALL, merged, shipped
from tests.contents import DIGEST, whole_labelled_shard, whole_manifest, whole_predictions, whole_scores, whole_table
from tests.fuzz.harness import Reader, WrongValueError
from tests.fuzz.mutations import as_json, damaged, edited, json_edits
from tests.labels.test_thresholds import CONTENT as THRESHOLDS


def text_readers(folder: Path, index: Index) -> Iterator[Reader]:
    """All of them; ``folder`` gets what they need next to their inputs."""
    yield from _contents(folder)
    yield Reader("index.json", "index.json", [as_json(index.to_json())], _index, json_edits)
    yield _record(folder)
    yield Reader("config", "config.json", [as_json(merged(shipped(), SMALL))], _config, _config_edits, "config", True)
    yield Reader("declarations", "own.yaml", [OWN.encode()], _declarations, _yaml_edits, "", True)
    labels = [{"name": name, "color": [1, 2, 3]} for name in ("construction--flat--road", "nature--sky", "void")]
    yield Reader("Mapillary's table", "config.json", [as_json({"labels": labels})], labels_of, json_edits)
    gta5 = folder / "gta5"
    for number in range(1, 7):
        for kind in ("images", "labels"):
            (gta5 / kind).mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4)).save(gta5 / kind / f"{number:05d}.png")
    format_ = format_named("gta5")

    def part(path: Path) -> Any:
        return _inside(format_.listing(path.parent, "train").samples, path.parent)

    def chosen(path: Path) -> Any:
        return _inside(listing_of(format_, path.parent, path.name).samples, path.parent)

    yield Reader("train.txt", "gta5/train.txt", [b"00001\n00002.png\n00006.png\n"], part)
    (gta5 / "lists").mkdir()
    sound = [b"00001\nimages/00003.png\n# four\n0000[45]\n!00004\n", b"*\n!00002\n"]
    yield Reader("list file", "gta5/own.txt", sound, chosen, lists=True)
    matlab = folder / "matlab"
    (matlab / "images").mkdir(parents=True)
    for number in range(1, 7):
        Image.new("L", (4, 4)).save(matlab / "images" / f"{number:05d}.png")
    yield Reader("split.mat", "matlab/split.mat", list(_matlab()), part)


def _contents(folder: Path) -> Iterator[Reader]:
    """What is checked as a whole by its class."""

    def manifest(path: Path) -> Any:
        content = read_manifest(path)
        try:
            checked_files(content.files, path.with_suffix(""))
        except InputError as error:  # that the PNGs are missing is right; that they are looked for elsewhere is not
            if "expected a plain file name" not in str(error) and "../" in str(error):
                raise WrongValueError("a path outside of the folder") from None
        return content.to_json()

    ranked = {"augrc": 0.1, "aurc": None, "accuracy": {"0.5": 0.9}}
    quality = {
        "classes": {"road": {"accuracy": 0.5, "coverage": None}},
        "risk_coverage": {"entropy": {**ranked, "classes": {"road": ranked}}},
    }
    manifests = [whole_manifest(), whole_manifest({"a": {}, "b": {}}, quality=quality)]
    yield Reader("thresholds.json", "thresholds.json", [as_json(THRESHOLDS)], _plain(read_thresholds), json_edits)
    yield Reader("pseudo_labels.json", "pseudo_labels.json", list(map(as_json, manifests)), manifest, json_edits)
    shard = [as_json(whole_labelled_shard({"a": {}, "b": {}}))]
    yield Reader("labelled/1-of-1.json", "1-of-1.json", shard, _joined, json_edits)
    yield Reader(
        "predictions.json", "predictions.json", [as_json(whole_predictions())], _plain(read_any_manifest), json_edits
    )
    yield Reader("miou.json, model", "miou.json", [as_json(whole_scores())], _plain(read_scores), json_edits)
    table = whole_table({"source": {}, "esl": {"iou": {"road": None, "sky": 0.5}}})
    yield Reader("miou.json, benchmark", "miou.json", [as_json(table)], _plain(read_table), json_edits)


def _plain(read: Callable[[Path], Content]) -> Callable[[Path], Any]:
    """A reader that returns plain JSON, for the checks of its values."""
    return lambda path: read(path).to_json()


def _joined(path: Path) -> Any:
    written = joined([path], DIGEST, DIGEST)
    return {id_: file.to_json() for id_, file in written.files.items()}, written.pixels.tolist()


def _index(path: Path) -> Any:
    index = read_index(path)
    for name in index.digests():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise WrongValueError("a path outside of the root")
    uses = index.table, index.labelled, index.class_pixels(), index.sizes()
    return json.loads(json.dumps(index.to_json())), len(uses)


def _record(folder: Path) -> Reader:
    """The record next to an index; whatever it holds, planning gets a token."""
    root, format_ = folder / "frames", format_named("gta5")
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
        Image.new("L", (4, 4)).save(root / kind / "00001.png")
    record = record_of(folder / "source.json")
    write_record(record, State("a" * 64, "b" * 64), root, stats_of(format_, root, "all"), {})

    def read(path: Path) -> Any:
        token = "".join(state(root, format_, "all", path))
        if not token or not token.isprintable():
            raise WrongValueError("a token of other characters")
        return token

    return Reader("files.json", "source.files.json", [record.read_bytes()], read, json_edits)


def _config(path: Path) -> Any:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InputError("config: Snakemake's to refuse") from None
    if not isinstance(content, dict):
        raise InputError("config: Snakemake's to refuse")
    return read_config(content).model_dump()


def _config_edits(chance: Random, content: bytes) -> bytes:
    return as_json(edited(chance, json.loads(content)))


OWN = """\
datasets:
  yard: &yard
    title: Our yard
    images: "{split}/{scene}/{number}.png"
    labels:
      - {files: "{split}/ids/{number}.png", ids: {0: road, 1: sky, 255: null}}
  field: {<<: *yard, title: Our field}
class_sets:
  two: {road: {colour: [128, 64, 128]}, sky: {colour: [70, 130, 180]}}
"""


def _declarations(path: Path) -> Any:
    own = read_declarations([path])
    return own.datasets, own.class_sets


def _yaml_edits(chance: Random, content: bytes) -> bytes:
    if chance.randrange(2):
        return damaged(chance, content)
    return yaml.safe_dump(edited(chance, yaml.safe_load(content))).encode("utf-8", "surrogatepass")


def _inside(samples: Any, root: Path) -> list[str]:
    """The ids of samples, whose images are all below the root."""
    for sample in samples:
        if sample.image is None or ".." in sample.image.relative_to(root).parts:
            raise WrongValueError("an image outside of the root")
    return [sample.id for sample in samples]


def _matlab() -> Iterator[bytes]:
    """Files of MATLAB's version 5, compressed and not."""
    parts = {"trainIds": np.arange(1, 4), "valIds": np.array([[5.0]]), "testIds": np.array([6], dtype=np.uint16)}
    for compressed in (False, True):
        file = io.BytesIO()
        savemat(file, parts, do_compression=compressed)
        yield file.getvalue()
