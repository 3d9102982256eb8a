"""Stage: check a results folder from end to end, each file against its inputs; status 1 if anything is wrong.

Thresholds, gates, pseudo-labels and the table are made again in a temporary folder, and compared byte by byte. No
network is run: checkpoints are compared with the digests that their maps and scores have of them.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from esl.errors import InputError
from esl.evaluation.contents import read_table
from esl.labels.manifest import read_manifest
from esl.labels.png import checked_files
from esl.labels.settings import ThresholdSettings
from esl.labels.shard import open_shard
from esl.labels.thresholds import Thresholds, read_thresholds
from esl.stages import gate, pseudo_label, summarize, threshold
from esl.stages.command import say, stage
from esl.verification import AGAIN, Results, check_indices, check_maps, check_model


def main(arguments: list[str] | None = None) -> None:
    """Checks one benchmark; every fault is listed by file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the results of a finished benchmark, such as results/gta2city")
    parser.add_argument("--data", action="store_true", help="read every image and label of the data too")
    parser.add_argument("--threads", type=int, default=1, help="threads that make pseudo-labels again")
    flags = parser.parse_args(arguments)
    results = Results(flags.folder)
    problems = []
    for problem in _problems(results, data=flags.data, threads=flags.threads):
        say(problem)
        problems.append(problem)
    if problems:
        raise InputError(f"{flags.folder}: {len(problems)} of its files do not fit, see above")
    say(
        f"{flags.folder}: {len(results.models)} models and {len(results.rounds)} rounds, every file fits what made it"
        + ("" if flags.data else "; images and labels of the data were not read (--data)")
    )


def _problems(results: Results, *, data: bool, threads: int) -> Iterator[str]:
    """Every fault; checks that need a missing or unreadable file are left out."""
    missing = [*results.missing()]
    yield from missing
    yield from _guarded(check_indices(results, data=data))
    for model in results.models:
        say(f"checking {results.folder / model}")
        yield from _guarded(check_model(results, model))
        yield from _guarded(check_maps(results, model))
        if model in results.rounds:
            yield from _guarded(_check_round(results, model, threads))
    if not missing:
        yield from _guarded(_check_table(results))


def _guarded(check: Iterator[str]) -> Iterator[str]:
    """The findings of a check; a file that it cannot read is a finding too."""
    try:
        yield from check
    except InputError as error:
        yield str(error)


def _check_round(results: Results, round_: str, threads: int) -> Iterator[str]:
    """The thresholds, the gate and the pseudo-labels of a round, made again from its teacher's maps."""
    folder = results.folder / round_
    thresholds, manifest = folder / "thresholds.json", folder / "pseudo_labels.json"
    content = read_thresholds(thresholds)
    maps = next((paths for paths in map(results.shards, results.models) if paths and _taught(paths[0], content)), None)
    if maps is None:
        yield f"{thresholds}: made from maps that are not there; {AGAIN}"
        return
    name, _, number = round_.rpartition("-round")
    if results.settings.methods[name] != {**results.settings.methods[name], **content.parameters}:
        yield f"{thresholds}: made with other parameters than settings.json has; {AGAIN}"
    chosen = ThresholdSettings(method=content.method, round=content.round, parameters=content.parameters)
    argv = ["--maps", *map(str, maps), "--settings", chosen.canonical()]
    yield from _remade(thresholds, threshold.main, argv)
    if results.is_gated:
        argv = ["--thresholds", str(thresholds), "--settings", json.dumps(results.settings.gate)]
        if int(number) > 1:
            argv += ["--previous", str(results.folder / f"{name}-round{int(number) - 1}/thresholds.json")]
        yield from _remade(folder / "gate.json", gate.main, argv)
    checked_files(read_manifest(manifest).files, manifest.with_suffix(""))
    argv = ["--maps", *map(str, maps), "--thresholds", str(thresholds), "--threads", str(threads)]
    argv += ["--index", str(results.folder / "data/target_train.json")]
    yield from _remade(manifest, pseudo_label.main, argv)


def _taught(shard: Path, thresholds: Thresholds) -> bool:
    with open_shard(shard) as open_:
        return open_.origin.taught(thresholds)


def _check_table(results: Results) -> Iterator[str]:
    """The table of all models, made again from their scores."""
    table, text = results.folder / "miou.json", results.folder / "miou.txt"
    content = read_table(table)
    with tempfile.TemporaryDirectory() as name:
        again = Path(name) / "miou.txt"
        argv = ["--benchmark", content.benchmark, "--table", str(again), "--controls", json.dumps(content.controls)]
        argv += ["--models"]
        argv += [str(results.folder / model / "miou.json") for model in results.models]
        if best := content.best_snapshots:
            argv += ["--best", *(str(results.folder / model / "best_snapshot.json") for model in best)]
        yield from _remade(table, summarize.main, argv)
        if not text.is_file() or text.read_bytes() != again.read_bytes():
            yield f"{text}: is not the table of {table}; {AGAIN}"


def _remade(path: Path, make: Callable[[list[str]], None], argv: list[str]) -> Iterator[str]:
    """Runs a stage again, whose ``--output`` is ``path``, into a temporary folder; whether it writes the same."""
    with tempfile.TemporaryDirectory() as name:
        output = Path(name) / path.parent.name / path.name
        with redirect_stderr(StringIO()):
            make([*argv, "--output", str(output)])
        if output.read_bytes() != path.read_bytes():
            yield f"{path}: is not what its inputs give; {AGAIN}"


if __name__ == "__main__":
    stage(main)
