"""What every stage's command line shares."""

import argparse

import pytest
from pydantic import Field

from esl.errors import InputError
from esl.settings import Settings
from esl.stages import train
from esl.stages.command import add_settings, stage


class Inner(Settings):
    """A group of keys."""

    depth: int = Field(3, description="How deep.")


class Outer(Settings):
    """The settings of a stage."""

    name: str = Field(description="What it is called.")
    inner: Inner = Inner()
    other: Inner | None = Field(None, description="Another group.")


def test_help_lists_every_key_with_its_description_and_default() -> None:
    parser = argparse.ArgumentParser()
    add_settings(parser, Outer)
    assert parser.format_help().endswith(
        "keys of --settings:\n"
        "  name: What it is called. (required)\n"
        "  inner: A group of keys.\n"
        "      depth: How deep. (default: 3)\n"
        "  other: Another group.\n"
        "      depth: How deep. (default: 3)\n"
    )


def test_the_train_stage_explains_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(["--help"])
    text = capsys.readouterr().out
    assert "learning_rate: Learning rate at the first iteration" in text and "term_settings:" in text


def test_a_mistake_ends_a_stage_with_its_message_alone() -> None:
    def main() -> None:
        raise InputError("a.json: no such file")

    with pytest.raises(SystemExit, match=r"^error: a\.json: no such file$"):
        stage(main)


def test_wrong_settings_are_named_by_key() -> None:
    words = {"index": "a", "output": "b", "threads": 1, "save-every": 1}
    flags = [f"--{name}={value}" for name, value in words.items()]
    with pytest.raises(InputError, match=r"--settings: schedule\.iterations: "):
        train.main([*flags, '--settings={"schedule": {"iterations": 0}}'])
