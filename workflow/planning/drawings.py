"""From wildcards to the files that the rules of figures read. Nothing here is planned unless a figure is asked for."""

from collections.abc import Iterator
from hashlib import sha256

from planning.benchmarks import Benchmarks, Wildcards
from planning.digest import PROJECT
from planning.inputs import Inputs
from planning.rounds import round_of, rounds, rounds_before, teacher
from planning.variants import keeps


class Drawings:
    """The inputs of the rules that draw, for the benchmarks of a config."""

    def __init__(self, benchmarks: Benchmarks, inputs: Inputs) -> None:
        self._benchmarks, self._inputs = benchmarks, inputs

    def maps(self, wildcards: Wildcards) -> list[str]:
        """Every shard of a model."""
        folder = f"results/{wildcards.benchmark}/{wildcards.model}/maps"
        return [f"{folder}/{shard}" for shard in self._inputs.shards(wildcards)]

    def manifest_before(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifest of the round before, of the same variant; a first round has none."""
        name, number = round_of(wildcards.round)
        return [f"results/{wildcards.benchmark}/{name}-round{number - 1}/pseudo_labels.json"] if number > 1 else []

    def manifests_taught(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifests of the rounds that a model teaches."""
        return [f"results/{wildcards.benchmark}/{round_}/pseudo_labels.json" for round_ in self._taught(wildcards)]

    def thresholds_taught(self, wildcards: Wildcards) -> list[str]:
        """The thresholds of the rounds that a model teaches."""
        return [f"results/{wildcards.benchmark}/{round_}/thresholds.json" for round_ in self._taught(wildcards)]

    def manifests_compared(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifests of the other rounds that a viewer compares with one.

        Each keeps some pixels, and its teacher took no more rounds than the teacher of this round: a viewer of a first
        round never waits for a round to be trained.
        """
        benchmark, own = self._benchmarks.of(wildcards), round_of(wildcards.round)
        depth = rounds_before(benchmark, *own)
        others = [
            round_
            for round_ in self._keeping(wildcards)
            if round_ != own and rounds_before(benchmark, *round_) <= depth
        ]
        others.sort(key=lambda round_: (round_[0] != own[0], -round_[1]))  # its own variant comes first
        return [f"results/{wildcards.benchmark}/{name}-round{number}/pseudo_labels.json" for name, number in others]

    def thresholds_compared(self, wildcards: Wildcards) -> list[str]:
        """The thresholds of the other rounds that a viewer compares with one."""
        return [path.replace("pseudo_labels.json", "thresholds.json") for path in self.manifests_compared(wildcards)]

    def page_digest(self, wildcards: Wildcards) -> str:
        """A digest of the files that make a viewer's page, apart from Python code."""
        digest = sha256()
        for file in sorted((PROJECT / "esl/viewer/page").iterdir()):
            digest.update(f"{file.name}\n{file.read_text(encoding='utf-8')}\n".encode())
        return digest.hexdigest()[:16]

    def _taught(self, wildcards: Wildcards) -> list[str]:
        benchmark = self._benchmarks.of(wildcards)
        return [
            f"{name}-round{number}"
            for name, number in self._keeping(wildcards)
            if teacher(benchmark, name, number) == wildcards.model
        ]

    def _keeping(self, wildcards: Wildcards) -> list[tuple[str, int]]:
        """The rounds that keep any pseudo-label."""
        benchmark = self._benchmarks.of(wildcards)
        return [(name, number) for name, number in rounds(benchmark) if keeps(name, benchmark.methods[name])]

    def logs(self, wildcards: Wildcards) -> list[str]:
        """train.csv of every model that was trained."""
        return [
            f"results/{wildcards.benchmark}/{model}/train.csv" for model in self._benchmarks.trained_models(wildcards)
        ]

    def every_figure(self, wildcards: Wildcards) -> list[str]:
        """All figures of a benchmark that need no other inference than its rounds do."""
        return [f"results/{wildcards.benchmark}/{figure}.png" for figure in self._every_figure(wildcards)]

    def _every_figure(self, wildcards: Wildcards) -> Iterator[str]:
        benchmark, keeping = self._benchmarks.of(wildcards), self._keeping(wildcards)
        yield from ("iou", "training")
        if keeping:
            yield "pseudo_labels"
        teachers = {teacher(benchmark, *round_) for round_ in keeping}
        keeping_models = {f"{name}-round{number}" for name, number in keeping}
        for model in self._benchmarks.models(wildcards):
            if model in keeping_models:
                yield from (f"{model}/gallery", f"{model}/thresholds")
            yield f"{model}/confusion"
            if model in teachers:
                yield f"{model}/risk_coverage"
