"""From wildcards to the params of rules: code digests, settings as JSON, flags of a command."""

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from esl.evaluation.settings import EvaluateSettings
from esl.labelling.settings import DrawSettings, DrawSize, LabelTaskSettings
from esl.labels.measures.registry import MEASURES
from esl.labels.settings import InferSettings, ThresholdSettings
from esl.models.settings import ComputeSettings, PredictionSettings
from esl.settings import subset
from planning.benchmarks import Benchmarks, Wildcards
from planning.digest import code_digest
from planning.digest_roots import Choice
from planning.labels import labels_settings, labels_state
from planning.requirements import is_rendered
from planning.rounds import model_before_labels, round_of
from planning.trainings import (
    adapted_training,
    batch_norm_adaptation,
    controls,
    oracle_training,
    round_training,
    source_training,
    with_digest,
)
from planning.variants import method_of, own_settings

PLAIN, AVERAGED = "plain", "averaged"
"""The sets of maps that `confidence` compares: of plain images, and of the benchmark's views or, if none, of these."""

COMPARED_VIEWS: list[str | float] = ["flip", 0.75, 1.25]


class Params:
    """The params of each rule for the benchmarks of a config."""

    def __init__(self, benchmarks: Benchmarks) -> None:
        self._benchmarks = benchmarks

    def code(self, module: str, *choices: Choice) -> Callable[[Wildcards], str]:
        """A function of the wildcards: the digest of a stage's code and of the modules that the settings choose."""

        def digest(wildcards: Wildcards) -> str:
            roots = [choice(wildcards) for choice in choices]
            modules = {name for chosen in roots for name in chosen.modules}
            return code_digest(module, *sorted(modules), facts="".join(chosen.facts for chosen in roots))

        return digest

    views_pattern = f"{PLAIN}|{AVERAGED}"

    @property
    def miniature_settings(self) -> str:
        """The settings of the renderer."""
        return self._benchmarks.config.miniature.canonical()

    def every_setting(self, wildcards: Wildcards) -> str:
        """Every setting of the benchmark, defaults included."""
        return self._benchmarks.of(wildcards).model_dump_json()

    def of_index(self, wildcards: Wildcards) -> str:
        """The settings that read and check one part of the data."""
        return self._benchmarks.index_settings(wildcards.benchmark, wildcards.part).canonical()

    def of_source(self, wildcards: Wildcards) -> str:
        """The training of the source model."""
        return with_digest(source_training(self._benchmarks.of(wildcards))).canonical()

    def of_oracle(self, wildcards: Wildcards) -> str:
        """The training of the oracle."""
        return with_digest(oracle_training(self._benchmarks.of(wildcards))).canonical()

    def of_adapted(self, wildcards: Wildcards) -> str:
        """The training of the source model with a target term."""
        return with_digest(adapted_training(self._benchmarks.of(wildcards))).canonical()

    def of_round(self, wildcards: Wildcards) -> str:
        """The training of a self-training round."""
        return with_digest(round_training(self._benchmarks.seen_by(wildcards.round, wildcards))).canonical()

    def controls(self, wildcards: Wildcards) -> str:
        """Each round's control, as JSON."""
        return json.dumps(controls(self._benchmarks.of(wildcards)))

    def of_batch_norm(self, wildcards: Wildcards) -> str:
        """The pass over the target images that replaces the statistics of batch norm."""
        return batch_norm_adaptation(self._benchmarks.of(wildcards)).canonical()

    def of_inference(self, wildcards: Wildcards) -> str:
        """The inference of a teacher."""
        return self._inference(wildcards).canonical()

    def of_compared_inference(self, wildcards: Wildcards) -> str:
        """The inference with every measure, of plain images or of averaged views."""
        settings = self._inference(wildcards)
        views = [] if wildcards.views == PLAIN else settings.views or COMPARED_VIEWS
        return settings.model_copy(update={"maps": [*MEASURES], "views": views}).canonical()

    def _inference(self, wildcards: Wildcards) -> InferSettings:
        benchmark = self._benchmarks.seen_by(wildcards.model, wildcards)
        return InferSettings(
            size=benchmark.target.size,
            compute=subset(benchmark.compute, ComputeSettings),
            **benchmark.inference.model_dump(include={*InferSettings.model_fields}),
        )

    def of_draw(self, wildcards: Wildcards) -> str:
        """How many images to label, and by which rule."""
        benchmark = self._benchmarks.of(wildcards)
        return DrawSettings(seed=benchmark.seed, **dict(subset(benchmark.labelling, DrawSize))).canonical()

    def of_label_task(self, wildcards: Wildcards) -> str:
        """How drawn images are handed over."""
        model = model_before_labels(self._benchmarks.of(wildcards))
        benchmark = self._benchmarks.seen_by(model, wildcards)
        return LabelTaskSettings(
            unsure=benchmark.labelling.unsure,
            size=benchmark.target.size,
            compute=subset(benchmark.compute, ComputeSettings),
            **benchmark.inference.model_dump(include={*PredictionSettings.model_fields}),
        ).canonical()

    def of_labels(self, wildcards: Wildcards) -> str:
        """Where the labels that came back are."""
        settings = labels_settings(self._benchmarks.of(wildcards))
        return "" if settings is None else settings.canonical()

    def state_of_labels(self, wildcards: Wildcards) -> str:
        """A token that changes with the content of the labels that came back."""
        settings = labels_settings(self._benchmarks.of(wildcards))
        return "" if settings is None else labels_state(settings)

    def of_thresholds(self, wildcards: Wildcards) -> str:
        """A round's method, its number and the method's own settings."""
        name, number = round_of(wildcards.round)
        variant = self._benchmarks.seen_by(wildcards.round, wildcards).methods[name]
        own = own_settings(name, variant).model_dump(mode="json", exclude_defaults=True, exclude={"rounds"})
        return ThresholdSettings(method=method_of(name, variant), round=number, parameters=own).canonical()

    def of_gate(self, wildcards: Wildcards) -> str:
        """The bounds of the gate."""
        return self._benchmarks.of(wildcards).gate.canonical()

    def of_evaluation(self, wildcards: Wildcards) -> str:
        """The evaluation of a model, and the name of the data in results: `miniature` if they are rendered."""
        benchmark = self._benchmarks.seen_by(wildcards.model, wildcards)
        return EvaluateSettings(
            size=benchmark.target.size,
            compute=subset(benchmark.compute, ComputeSettings),
            **benchmark.inference.model_dump(include={*PredictionSettings.model_fields}),
            data="miniature" if is_rendered(Path(benchmark.target.root)) else None,
        ).canonical()

    def flags(self, *names: str, **renamed: str) -> Callable[[Wildcards, Any], str]:
        """A function of the wildcards and the input: flags with the files of named inputs, of those that there are.

        Each flag has the name of its input, or the one that ``renamed`` gives it.
        """

        def flags(wildcards: Wildcards, input: Any) -> str:  # noqa: A002
            files = {flag: input.get(name) for name, flag in {name: name for name in names}.items() | renamed.items()}
            return " ".join(_flag(flag, paths) for flag, paths in sorted(files.items()) if paths)

        return flags

    def labelled_flag(self, wildcards: Wildcards) -> str:
        """The flag of the folder with the output of the jobs of single shards, if there are such jobs."""
        folder = f"results/{wildcards.benchmark}/{wildcards.round}/labelled"
        return _flag("labelled", folder) if self._benchmarks.of(wildcards).inference.images_per_shard else ""

    @property
    def seeds(self) -> str:
        """The seeds of `reproduce`."""
        return " ".join(map(str, self._benchmarks.config.reproduce))


def _flag(name: str, paths: str | Sequence[str]) -> str:
    """A flag and its paths as shell words."""
    return f"--{name.replace('_', '-')} {shlex.join([paths] if isinstance(paths, str) else paths)}"
