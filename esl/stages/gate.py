"""Stage: check the thresholds of a round before it is trained, and stop it when its teacher has collapsed."""

import argparse
import sys
from pathlib import Path

from esl.errors import InputError
from esl.files import write_json
from esl.labels.gate import GateSettings, objections, unchecked
from esl.labels.thresholds import read_thresholds
from esl.stages.command import add_paths, add_settings, stage


def main(arguments: list[str] | None = None) -> None:
    """Checks one teacher: thresholds in, gate.json out, or an error that stops the round."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--thresholds", "--output")
    parser.add_argument("--previous", type=Path, help="thresholds.json of the same method's previous round")
    add_settings(parser, GateSettings)
    flags = parser.parse_args(arguments)
    settings = GateSettings.from_json(flags.settings)
    previous = None if flags.previous is None else read_thresholds(flags.previous)
    now = read_thresholds(flags.thresholds)
    reasons = [str(problem) for problem in objections(now, previous, settings)]
    open_ = [str(problem) for problem in unchecked(now)]
    round_ = flags.output.parent.name
    if reasons and settings.action == "stop":
        raise InputError(
            f"{round_} is not trained: {'; '.join(reasons)}.\n  Look at {flags.thresholds}. Train the teacher with a "
            "lower learning rate or for fewer iterations, or run fewer rounds. If the teacher is good enough, "
            "change the bounds of `gate` in the config, or set gate.action to warn"
        )
    if settings.action == "warn":
        for reason in reasons:
            print(f"warning: {round_}: {reason}", file=sys.stderr)
    for question in open_:
        print(f"not checked: {round_}: {question}", file=sys.stderr)
    content = {"action": settings.action, "gate": settings.model_dump(exclude={"action"}), "objections": reasons}
    write_json(flags.output, content | ({"unchecked": open_} if open_ else {}))


if __name__ == "__main__":
    stage(main)
