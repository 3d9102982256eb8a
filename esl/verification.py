"""A results folder checked from end to end: each artefact against what made it. Nothing is trained or inferred again.

Every check yields one line for each fault; the line begins with the file.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from esl.data.index import Index, read_index
from esl.errors import InputError
from esl.evaluation.confusions import read_confusions_of
from esl.evaluation.contents import read_scores, read_table
from esl.evaluation.scores import scores
from esl.files import read_json, sha256_of_file, sha256_of_lines
from esl.labelling.truth import labelled_by, scored_on, trained_on
from esl.labels.confidence import INTERPOLATION
from esl.labels.fixed_point import CODES, count_codes
from esl.labels.manifest import read_manifest
from esl.labels.shard import Origin, Shard, open_shard
from esl.models.checkpoint import load_checkpoint

AGAIN = "delete it and run the workflow again"

ADAPTED = "adapted"
"""The model with other batch norm statistics: it has no training."""


class ChosenSettings(NamedTuple):
    """Parts of settings.json: the gate, and every method by name."""

    gate: dict[str, Any]
    methods: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Results:
    """The results folder of a benchmark, whose miou.json says which models there are."""

    folder: Path

    @cached_property
    def models(self) -> list[str]:
        """Every model of the table, in its order.

        Raises:
            InputError: there is no finished table.
        """
        return [*read_table(self.folder / "miou.json").models]

    @property
    def rounds(self) -> list[str]:
        """The models that a round of self-training made."""
        return [model for model in self.models if re.fullmatch(r".+-round\d+", model)]

    @cached_property
    def settings(self) -> ChosenSettings:
        """The settings of the benchmark that its thresholds and gates were made with, defaults included.

        Raises:
            InputError: the file is not there, or lacks one that is needed here.
        """
        path = self.folder / "settings.json"
        settings = read_json(path)
        gate, methods = settings.get("gate"), settings.get("methods") or {}
        if not isinstance(gate, dict) or not {name.rpartition("-round")[0] for name in self.rounds} <= {*methods}:
            raise InputError(f"{path}: not the settings of these models; {AGAIN}")
        return ChosenSettings(gate, methods)

    @property
    def is_gated(self) -> bool:
        """Whether every teacher was checked before its round."""
        return bool(self.settings.gate.get("action") != "ignore")

    @cached_property
    def source(self) -> Index:
        """The checked samples of the source."""
        return self._index("source")

    @cached_property
    def target_train(self) -> Index:
        """The checked samples of the target training set."""
        return self._index("target_train")

    @cached_property
    def target_val(self) -> Index:
        """The checked samples of the target validation set."""
        return self._index("target_val")

    @cached_property
    def labels(self) -> Path | None:
        """The labels that came back; ``None``: there are none."""
        path = self.folder / "label/labels.json"
        return path if path.is_file() else None

    @cached_property
    def scored(self) -> Index:
        """The target validation set with the labels that models are scored on."""
        return scored_on(self.labels, self.target_val)[0]

    def _index(self, part: str) -> Index:
        return read_index(self.folder / f"data/{part}.json")

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of every checkpoint, by model."""
        paths = {model: self.folder / model / "checkpoint.pt" for model in self.models}
        return {model: sha256_of_file(path) for model, path in paths.items() if path.is_file()}

    def shards(self, model: str) -> list[Path]:
        """The maps of a model in the order of their shards; none for a model that is no teacher."""
        return sorted((self.folder / model / "maps").glob("*-of-*.h5"), key=lambda path: int(path.stem.split("-")[0]))

    def missing(self) -> Iterator[str]:
        """Files of a finished benchmark that are missing; Snakemake alone does not make them again."""
        names = [
            f"{model}/{name}" for model in self.models for name in ("checkpoint.pt", "miou.json", "confusions.npz")
        ]
        names += [f"{model}/train.csv" for model in self.models if model != ADAPTED]
        made = ("thresholds.json", "pseudo_labels.json", *(["gate.json"] if self.is_gated else []))
        names += [f"{round_}/{name}" for round_ in self.rounds for name in made]
        for name in names:
            if not (self.folder / name).is_file():
                yield f"{self.folder / name}: missing; make it again: snakemake {self.folder / name}"


def check_indices(results: Results, *, data: bool) -> Iterator[str]:
    """Every index against its own sums; with ``data``, every image and label file against its digest in it too."""
    parts = {"source": results.source, "target_train": results.target_train, "target_val": results.target_val}
    for part, index in parts.items():
        path = results.folder / f"data/{part}.json"
        if json.loads(json.dumps(index.to_json())) != read_json(path):
            yield f"{path}: edited or damaged since it was written; {AGAIN}"
        for name, digest in index.digests().items() if data else ():
            file = Path(index.root) / name
            if not file.is_file():
                yield f"{file}: missing since {path} was made"
            elif sha256_of_file(file) != digest:
                yield f"{file}: changed since {path} was made"


def check_model(results: Results, model: str) -> Iterator[str]:
    """Compares a checkpoint with its inputs, and its scores with the checkpoint and with their confusion matrices."""
    folder, index = results.folder / model, results.scored
    path, scored = folder / "checkpoint.pt", folder / "miou.json"
    _, description = load_checkpoint(path, index.class_set)
    for what, digests in _inputs(results, model).items():
        if description.provenance.get(what, digests[0]) not in digests:
            yield f"{path}: trained on {what.replace('_', ' ')} that are not those of {folder.parent}; {AGAIN}"
    content = read_scores(scored)
    if content.checkpoint_sha256 != results.digests[model]:
        yield f"{scored}: the scores of another checkpoint than {path}, or one of the two is damaged; {AGAIN}"
    if content.labels_sha256 != index.fingerprint():
        yield f"{scored}: scored on other images or labels than the index has; {AGAIN}"
    counts = np.asarray([*content.confusion, *content.foreign.values()])
    if [*content.foreign] != [*index.class_set.foreign] or not (
        scores(counts, index.class_set).to_json().items() <= content.to_json().items()
    ):
        yield f"{scored}: does not follow from its confusion matrix; {AGAIN}"
    confusions = read_confusions_of(scored, content)
    if set(zip(confusions.ids, confusions.images, strict=True)) != {(own.id, own.image) for own in index.labelled}:
        yield f"{folder / 'confusions.npz'}: of other images than the index has labels of; {AGAIN}"


def _inputs(results: Results, model: str) -> dict[str, list[str]]:
    """Inputs of a training, by their name in a checkpoint's provenance, and the digests that each may have."""
    inputs = {
        "labelled": [results.source.fingerprint()],
        "target_labels": [_true_labels(results, model)],
        "target_images": [results.target_train.image_fingerprint()],
        "initial": [*results.digests.values()],
    }
    if model in results.rounds:
        files = read_manifest(results.folder / model / "pseudo_labels.json").files
        digest = sha256_of_lines([f"{id_} {files[id_].sha256}" for id_ in sorted(files)])
        return {**inputs, "pseudo_labels": [digest]}
    return inputs


def _true_labels(results: Results, model: str) -> str:
    """The digest of the target labels that a model may have been trained on."""
    if model == "oracle" or results.labels is None:
        return trained_on(results.target_train, results.scored).fingerprint()
    return labelled_by(results.labels, results.target_train, "train").fingerprint()


def check_maps(results: Results, model: str) -> Iterator[str]:
    """The shards of a teacher: whole, of its checkpoint, of every image, and counted right."""
    paths, index = results.shards(model), results.target_train
    if not paths:
        return
    total = int(paths[0].stem.rpartition("-")[2])
    if [path.stem for path in paths] != [f"{number}-of-{total}" for number in range(1, total + 1)]:
        yield f"{paths[0].parent}: expected {total} shards, but got {', '.join(path.name for path in paths)}"
        return
    for number, path in enumerate(paths):
        with open_shard(path) as shard:
            expected = Origin(index.class_set.classes, results.digests[model], INTERPOLATION, shard.origin.views)
            if shard.origin != expected:
                yield f"{path}: maps of another checkpoint than {model}/checkpoint.pt, or one is damaged; {AGAIN}"
            if shard.ids != [sample.id for sample in index.samples[number::total]]:
                yield f"{path}: maps of other images than the index has; {AGAIN}"
            else:
                yield from (f"{path}: {problem}; {AGAIN}" for problem in _miscounted(shard))


def _miscounted(shard: Shard) -> Iterator[str]:
    """The histograms of a shard against its maps; reads every map, which also checks their checksums."""
    histograms: dict[str, NDArray[np.int64]] = {}
    others = [name for name in ("probability",) if shard.holds(name)]
    for row in range(len(shard.ids)):
        stored = [measure for measure in shard.counted if shard.holds(measure)]
        maps = shard.maps(row, ["label", *stored, *others])
        for measure in stored:
            counts = histograms.setdefault(measure, np.zeros((len(shard.origin.classes), CODES), dtype=np.int64))
            count_codes(counts, maps["label"], maps[measure])
    for measure, counts in histograms.items():
        if not np.array_equal(counts, shard.histogram(measure)):
            yield f"the histogram of {measure} does not count what its map holds"
