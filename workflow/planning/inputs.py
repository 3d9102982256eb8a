"""From wildcards to the files that rules read. ``Plan`` is all that the rules see of planning."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

from esl.data.formats.registry import format_named
from esl.data.listing import record_of, state
from esl.labels.methods.registry import method_class
from planning.models import ADAPTED, ROUND, Wildcards, round_of
from planning.params import Params
from planning.parts import PARTS
from planning.requirements import is_rendered

RENDERED = "rendered"
"""The state of a miniature that has not been indexed yet."""


class Plan(Params):
    """A checked config, and the inputs, params and resources of every rule for its benchmarks."""

    def rendering(self, wildcards: Wildcards) -> list[str]:
        """The manifest of the miniature if the benchmark uses it; none for real datasets."""
        root = self._root(wildcards)
        return [f"{root}.json"] if is_rendered(root) else []

    def data_state(self, wildcards: Wildcards) -> str:
        """A token that changes when files of this part of the data have changed since they were indexed."""
        settings = self.settings_of_index(wildcards)
        root = Path(settings.root)
        record = record_of(Path(f"results/{wildcards.benchmark}/data/{wildcards.part}.json"))
        if is_rendered(root) and not record.is_file():
            return RENDERED  # whether it has been rendered yet or not: a cluster's jobs plan again after it
        return state(root, format_named(settings.dataset, settings.declaration), settings.split, record)

    def _root(self, wildcards: Wildcards) -> Path:
        return Path(getattr(self.settings_of(wildcards), PARTS[wildcards.part].domain).root)

    def every_index(self, wildcards: Wildcards) -> list[str]:
        """All parts of the data, which are checked before anything trains."""
        self.settings_of(wildcards)
        return [f"results/{wildcards.benchmark}/data/{part}.json" for part in PARTS]

    def pretrained_weights(self, wildcards: Wildcards) -> list[str]:
        """The file of published weights that trainings start from; none for fresh ones or for torchvision's own."""
        weights = self.settings_of(wildcards).pretrained
        return [] if weights in (None, "torchvision") else [str(weights)]

    def pretrained_weights_of_rounds(self, wildcards: Wildcards) -> list[str]:
        """The same for a round, if it starts from them."""
        initial = self.settings_of(wildcards).training.round.initial
        return self.pretrained_weights(wildcards) if initial == "pretrained" else []

    def initial_weights(self, wildcards: Wildcards) -> list[str]:
        """The checkpoint that a round starts from: the start of rounds, or its own teacher."""
        initial = self.settings_of(wildcards).training.round.initial
        if initial == "pretrained":
            return []
        model = self.start_of_rounds(wildcards) if initial == "source" else self.teacher(wildcards)
        return [f"results/{wildcards.benchmark}/{model}/checkpoint.pt"]

    def teacher_maps(self, wildcards: Wildcards) -> list[str]:
        """Every shard of the teacher of a round."""
        shards = self.settings_of(wildcards).inference.shards
        folder = f"results/{wildcards.benchmark}/{self.teacher(wildcards)}/maps"
        return [f"{folder}/{number + 1}-of-{shards}.h5" for number in range(shards)]

    def gate(self, wildcards: Wildcards) -> list[str]:
        """The verdict that a round waits for; none if the gate is ignored."""
        if self.settings_of(wildcards).gate.action == "ignore":
            return []
        return [f"results/{wildcards.benchmark}/{wildcards.round}/gate.json"]

    def previous_thresholds(self, wildcards: Wildcards) -> list[str]:
        """The thresholds of the same method's previous round; a first round has none."""
        method, number = round_of(wildcards)
        return [f"results/{wildcards.benchmark}/{method}-round{number - 1}/thresholds.json"] if number > 1 else []

    def scores(self, wildcards: Wildcards) -> list[str]:
        """miou.json of every model, in the order of the summary."""
        return [f"results/{wildcards.benchmark}/{model}/miou.json" for model in self.models(wildcards)]

    def best_snapshots(self, wildcards: Wildcards) -> list[str]:
        """The choice among the snapshots of every model that was trained; none unless the config asks for snapshots."""
        if not self.settings_of(wildcards).training.snapshot_every:
            return []
        trained = (model for model in self.models(wildcards) if model != ADAPTED)
        return [f"results/{wildcards.benchmark}/{model}/best_snapshot.json" for model in trained]

    @property
    def default_targets(self) -> list[str]:
        """The result of every benchmark, and its figure where any method keeps pseudo-labels."""
        results = [f"results/{name}/miou.json" for name in self.benchmarks]
        drawn = (name for name, settings in self.config.benchmarks.items() if any(map(keeps, settings.methods)))
        return results + [f"results/{name}/pseudo_labels.png" for name in drawn]

    def manifests(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifests of all rounds that keep anything."""
        manifests = self._manifests(wildcards)
        if not manifests:
            sys.exit(f"error: benchmarks.{wildcards.benchmark}.methods: no method keeps pseudo-labels to draw")
        return manifests

    def _manifests(self, wildcards: Wildcards) -> list[str]:
        rounds = [model for model in self.models(wildcards) if re.fullmatch(ROUND, model)]
        keeping = [round_ for round_ in rounds if keeps(round_.rpartition("-round")[0])]
        return [f"results/{wildcards.benchmark}/{round_}/pseudo_labels.json" for round_ in keeping]

    def predictions(self, wildcards: Wildcards) -> list[str]:
        """The predictions of every model, of a method's rounds those of the last."""
        last = {model.rpartition("-round")[0] or model: model for model in self.models(wildcards)}
        return [f"results/{wildcards.benchmark}/{model}/predictions.json" for model in last.values()]

    def scores_of_seeds(self, wildcards: Wildcards) -> list[str]:
        """The benchmark's miou.json at every seed of `reproduce`."""
        return [f"results/{wildcards.benchmark}-seed{seed}/miou.json" for seed in self.config.reproduce]

    def manifests_of_seeds(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifests of all rounds that keep anything, at every seed of `reproduce`."""
        seeds = (SimpleNamespace(benchmark=f"{wildcards.benchmark}-seed{seed}") for seed in self.config.reproduce)
        return [path for at_seed in seeds for path in self._manifests(at_seed)]


def keeps(method: str) -> bool:
    """Whether a method keeps any pixel; a control keeps none, on purpose."""
    return method_class(method).measure is not None
