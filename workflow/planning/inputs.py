"""From wildcards to the files that rules read."""

import sys
from collections.abc import Callable
from math import ceil
from pathlib import Path
from types import SimpleNamespace

from esl.data.changes import State, record_of, state
from esl.data.formats.build import format_named
from esl.data.splits import listing_of
from esl.errors import InputError
from esl.labelling.draws.registry import READS
from esl.labelling.settings import OWN
from esl.training.config import start_of_rounds
from planning.benchmark import PARTS
from planning.benchmarks import Benchmarks, Wildcards
from planning.params import AVERAGED, PLAIN
from planning.requirements import is_rendered
from planning.rounds import initial_model, model_before_labels, round_before_labels, round_of, rounds, teacher
from planning.variants import keeps

RENDERED = "rendered"
"""The state of a miniature that has not been indexed yet."""


class Inputs:
    """The inputs of every rule for the benchmarks of a config."""

    def __init__(self, benchmarks: Benchmarks) -> None:
        self._benchmarks = benchmarks
        self._states: dict[tuple[str, str], State] = {}
        self._images: dict[str, int] = {}  # in the target training set, by benchmark; listing many takes seconds

    def rendering(self, wildcards: Wildcards) -> list[str]:
        """The manifest of the miniature if the benchmark uses it; none for real datasets."""
        root = self._root(wildcards)
        return [f"{root}.json"] if is_rendered(root) else []

    def data_state(self, wildcards: Wildcards) -> str:
        """A token that changes when files of this part of the data have changed since they were indexed."""
        return self._state(wildcards.benchmark, wildcards.part).files

    def image_state(self, part: str) -> Callable[[Wildcards], str]:
        """A function of the wildcards: a token that changes when images of a part of the data have changed.

        Jobs that read no label carry it, and take the index as `ancient`: another label does not rerun them.
        """

        def token(wildcards: Wildcards) -> str:
            return self._state(wildcards.benchmark, part).images

        return token

    def images_of_part(self, wildcards: Wildcards) -> str:
        """The token of the images of the part that is indexed."""
        return self._state(wildcards.benchmark, wildcards.part).images

    def _state(self, benchmark: str, part: str) -> State:
        record = record_of(Path(f"results/{benchmark}/data/{part}.json"))
        if (benchmark, part) not in self._states:  # listing many takes seconds
            settings = self._benchmarks.index_settings(benchmark, part)
            root, format_ = Path(settings.root), format_named(settings.dataset, settings.declaration)
            if is_rendered(root) and not record.is_file():
                # whether it has been rendered yet or not: a cluster's jobs plan again after it
                self._states[benchmark, part] = State(RENDERED, RENDERED)
            else:
                self._states[benchmark, part] = state(root, format_, settings.split, record)
        return self._states[benchmark, part]

    def _root(self, wildcards: Wildcards) -> Path:
        return Path(getattr(self._benchmarks.of(wildcards), PARTS[wildcards.part].domain).root)

    def every_index(self, wildcards: Wildcards) -> list[str]:
        """All parts of the data, which are checked before anything trains."""
        self._benchmarks.of(wildcards)
        return [f"results/{wildcards.benchmark}/data/{part}.json" for part in PARTS]

    def pretrained_weights(self, wildcards: Wildcards) -> list[str]:
        """The file of published weights that trainings start from; none for fresh ones or for those of a package.

        Rules take it as `ancient`: its SHA-256 is among the settings of the training, so that only its content counts.
        """
        return _existing(self._benchmarks.of(wildcards).pretrained)

    def pretrained_weights_of_rounds(self, wildcards: Wildcards) -> list[str]:
        """The file of published weights that a round starts from, if it starts from any."""
        benchmark = self._benchmarks.seen_by(wildcards.round, wildcards)
        return _existing(benchmark.pretrained) if benchmark.training.round.initial == "pretrained" else []

    def initial_weights(self, wildcards: Wildcards) -> list[str]:
        """The checkpoint that a round starts from; none where it starts from published or fresh weights."""
        model = initial_model(self._benchmarks.of(wildcards), *round_of(wildcards.round))
        return [] if model is None else [f"results/{wildcards.benchmark}/{model}/checkpoint.pt"]

    def pretrained_weights_of_oracle(self, wildcards: Wildcards) -> list[str]:
        """The file of published weights that the oracle starts from, if it starts from any."""
        benchmark = self._benchmarks.of(wildcards)
        return _existing(benchmark.pretrained) if benchmark.training.round.initial == "pretrained" else []

    def initial_weights_of_oracle(self, wildcards: Wildcards) -> list[str]:
        """The checkpoint that the oracle starts from, as first rounds do; none for published or fresh weights."""
        benchmark = self._benchmarks.of(wildcards)
        if benchmark.training.round.initial in ("pretrained", "fresh"):
            return []
        start = start_of_rounds(benchmark.training.source.adaptation)
        return [f"results/{wildcards.benchmark}/{start}/checkpoint.pt"]

    def labels_of_round(self, wildcards: Wildcards) -> list[str]:
        """The target labels that a round trains on, if it does."""
        reads = self._benchmarks.seen_by(wildcards.round, wildcards).training.round.labelled_batch > 0
        return [f"results/{wildcards.benchmark}/label/labels.json"] if reads else []

    def returned_labels(self, wildcards: Wildcards) -> list[str]:
        """The labels that came back, if the config names any: models are scored on some of them."""
        labels = self._benchmarks.of(wildcards).target.labels
        return [] if labels in (None, OWN) else [f"results/{wildcards.benchmark}/label/labels.json"]

    def measured_of_round(self, wildcards: Wildcards) -> list[str]:
        """The index of the images that are scored, for a round that must not train on their labels."""
        return [f"results/{wildcards.benchmark}/data/target_val.json"] if self.labels_of_round(wildcards) else []

    def drawn_by_pseudo_labels(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifest that the rule of the draw reads, if it does."""
        benchmark = self._benchmarks.of(wildcards)
        if READS.get(benchmark.labelling.draw) != "pseudo_labels":
            return []
        return [f"results/{wildcards.benchmark}/{round_before_labels(benchmark)}/pseudo_labels.json"]

    def drawn_by_maps(self, wildcards: Wildcards) -> list[str]:
        """The maps that the rule of the draw reads, if it does: of the teacher of its round."""
        benchmark = self._benchmarks.of(wildcards)
        if READS.get(benchmark.labelling.draw) != "maps":
            return []
        return self.teacher_maps(SimpleNamespace(benchmark=wildcards.benchmark, round=round_before_labels(benchmark)))

    def checkpoint_before_labels(self, wildcards: Wildcards) -> str:
        """The model that predicts the annotations to correct; of the start of rounds, where no round is to be had."""
        return f"results/{wildcards.benchmark}/{model_before_labels(self._benchmarks.of(wildcards))}/checkpoint.pt"

    def shards(self, wildcards: Wildcards) -> list[str]:
        """The file names of the shards of the target training set."""
        inference = self._benchmarks.of(wildcards).inference
        total = inference.shards
        if inference.images_per_shard:
            total = ceil(self._target_images(wildcards) / inference.images_per_shard)
        return [f"{number}-of-{total}.h5" for number in range(1, total + 1)]

    def _target_images(self, wildcards: Wildcards) -> int:
        """The number of images of the target training set; 1 if it cannot be listed, which its index reports."""
        if is_rendered(Path(self._benchmarks.of(wildcards).target.root)):
            return self._benchmarks.config.miniature.target_train
        if wildcards.benchmark not in self._images:
            data = self._benchmarks.index_settings(wildcards.benchmark, "target_train")
            format_ = format_named(data.dataset, data.declaration)
            try:
                self._images[wildcards.benchmark] = len(listing_of(format_, Path(data.root), data.split).samples)
            except (InputError, OSError):
                self._images[wildcards.benchmark] = 1
        return self._images[wildcards.benchmark]

    def teacher_maps(self, wildcards: Wildcards) -> list[str]:
        """Every shard of the teacher of a round.

        All rounds that keep nothing read those of the first teacher: nothing is inferred for them.
        """
        benchmark = self._benchmarks.seen_by(wildcards.round, wildcards)
        name, number = round_of(wildcards.round)
        if not keeps(name, benchmark.methods[name]):
            number = 1
        folder = f"results/{wildcards.benchmark}/{teacher(benchmark, name, number)}/maps"
        return [f"{folder}/{shard}" for shard in self.shards(wildcards)]

    def teacher_shard(self, wildcards: Wildcards) -> str:
        """The teacher's shard that a job labels."""
        return str(Path(self.teacher_maps(wildcards)[0]).with_name(f"{wildcards.shard}.h5"))

    def labelled_shards(self, wildcards: Wildcards) -> list[str]:
        """The output of the job of each shard, for large sets."""
        folder = f"results/{wildcards.benchmark}/{wildcards.round}/labelled"
        return [f"{folder}/{Path(shard).stem}.json" for shard in self.shards(wildcards)]

    def compared_maps(self, wildcards: Wildcards) -> list[str]:
        """Every shard of a model's maps of plain images, then of averaged views, with every measure."""
        folder = f"results/{wildcards.benchmark}/{wildcards.model}/confidence"
        return [f"{folder}/{views}/{shard}" for views in (PLAIN, AVERAGED) for shard in self.shards(wildcards)]

    def gate(self, wildcards: Wildcards) -> list[str]:
        """The verdict that a round waits for; none if the gate is ignored."""
        if self._benchmarks.of(wildcards).gate.action == "ignore":
            return []
        return [f"results/{wildcards.benchmark}/{wildcards.round}/gate.json"]

    def previous_thresholds(self, wildcards: Wildcards) -> list[str]:
        """The thresholds of the round before, of the same variant; a first round has none."""
        name, number = round_of(wildcards.round)
        return [f"results/{wildcards.benchmark}/{name}-round{number - 1}/thresholds.json"] if number > 1 else []

    def scores(self, wildcards: Wildcards) -> list[str]:
        """miou.json of every model, in the order of the summary."""
        return [f"results/{wildcards.benchmark}/{model}/miou.json" for model in self._benchmarks.models(wildcards)]

    def confusions(self, wildcards: Wildcards) -> list[str]:
        """The confusion matrices of every model next to its scores."""
        models = self._benchmarks.models(wildcards)
        return [f"results/{wildcards.benchmark}/{model}/confusions.npz" for model in models]

    def best_snapshots(self, wildcards: Wildcards) -> list[str]:
        """The choice among the snapshots of every model that was trained; none unless the config asks for snapshots."""
        if not self._benchmarks.of(wildcards).training.snapshot_every:
            return []
        trained = self._benchmarks.trained_models(wildcards)
        return [f"results/{wildcards.benchmark}/{model}/best_snapshot.json" for model in trained]

    @property
    def default_targets(self) -> list[str]:
        """The result of every benchmark, and its figure where any method keeps pseudo-labels."""
        results = [f"results/{name}/miou.json" for name in self._benchmarks.names]
        drawn = [
            name
            for name, benchmark in self._benchmarks.config.benchmarks.items()
            if any(keeps(*entry) for entry in benchmark.methods.items())
        ]
        return results + [f"results/{name}/pseudo_labels.png" for name in drawn]

    def manifests(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifests of all rounds that keep anything."""
        manifests = self._manifests(wildcards)
        if not manifests:
            sys.exit(f"error: benchmarks.{wildcards.benchmark}.methods: no method keeps pseudo-labels to draw")
        return manifests

    def _manifests(self, wildcards: Wildcards) -> list[str]:
        benchmark = self._benchmarks.of(wildcards)
        keeping = [(name, number) for name, number in rounds(benchmark) if keeps(name, benchmark.methods[name])]
        return [f"results/{wildcards.benchmark}/{name}-round{number}/pseudo_labels.json" for name, number in keeping]

    def predictions(self, wildcards: Wildcards) -> list[str]:
        """The predictions of every model, of a variant's rounds only the last."""
        benchmark = self._benchmarks.of(wildcards)
        earlier = {
            f"{name}-round{number}" for name, number in rounds(benchmark) if number < benchmark.methods[name].rounds
        }
        shown = (model for model in self._benchmarks.models(wildcards) if model not in earlier)
        return [f"results/{wildcards.benchmark}/{model}/predictions.json" for model in shown]

    def scores_of_seeds(self, wildcards: Wildcards) -> list[str]:
        """The benchmark's miou.json at every seed of `reproduce`."""
        return [f"results/{wildcards.benchmark}-seed{seed}/miou.json" for seed in self._benchmarks.config.reproduce]

    def manifests_of_seeds(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifests of all rounds that keep anything, at every seed of `reproduce`."""
        seeds = (
            SimpleNamespace(benchmark=f"{wildcards.benchmark}-seed{seed}") for seed in self._benchmarks.config.reproduce
        )
        return [path for at_seed in seeds for path in self._manifests(at_seed)]


def _existing(weights: str | None) -> list[str]:
    return [weights] if weights and Path(weights).is_file() else []
