"""Stage: look at the thresholds of a round before it is trained, and stop it when its teacher has collapsed."""

import argparse
import sys
from dataclasses import asdict, fields
from pathlib import Path

from esl.errors import InputError
from esl.files import read_json, write_json
from esl.labels.gate import Gate, objections
from esl.stages.command import add_paths, stage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--thresholds", "--output")
    parser.add_argument("--before", type=Path, help="thresholds.json of the same method's round before")
    parser.add_argument("--action", choices=("stop", "warn"), required=True, help="what an objection leads to")
    for item in fields(Gate):
        parser.add_argument(f"--{item.name.replace('_', '-')}", type=float, default=item.default)
    flags = parser.parse_args()
    gate = Gate(**{item.name: getattr(flags, item.name) for item in fields(Gate)})
    before = None if flags.before is None else read_json(flags.before)
    found = objections(read_json(flags.thresholds), before, gate)
    round_ = flags.output.parent.name
    if found and flags.action == "stop":
        raise InputError(
            f"{round_} is not trained, since {'; '.join(found)}.\n  Look at {flags.thresholds}. Train the teacher with "
            "a lower learning rate or for fewer iterations, or run fewer rounds; where this is as it should be, move "
            "the bounds of `gate` in the config, or set its action to warn"
        )
    for objection in found:
        print(f"warning: {round_}: {objection}", file=sys.stderr)
    write_json(flags.output, {"action": flags.action, "gate": asdict(gate), "objections": found})


if __name__ == "__main__":
    stage(main)
