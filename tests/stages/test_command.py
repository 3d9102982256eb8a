"""What every stage's command line shares."""

import argparse
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from pydantic import Field

from esl.errors import InputError
from esl.settings import Settings
from esl.stages import train
from esl.stages.command import SNAKEMAKE, add_settings, stage


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


WAITING = """
import signal, time
from esl.stages.command import stage
signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored where tests run in the background
print("begun", flush=True)
stage(lambda: time.sleep(60))
"""

STARTING = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITING!r}])"


def test_a_stage_that_is_interrupted_says_so_in_a_line() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "interrupted; run again\n")


def test_a_stage_ends_with_the_snakemake_that_started_it() -> None:
    command = [sys.executable, "-c", f"import os; os.environ[{SNAKEMAKE!r}] = str(os.getpid()); {STARTING}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None and starter.stdout.readline() == "begun\n"
        (running,) = psutil.Process(starter.pid).children()
        time.sleep(1)
        assert running.is_running()
        starter.kill()
        running.wait(timeout=20)


def test_a_stage_outlives_a_process_that_is_not_its_snakemake() -> None:
    other = subprocess.Popen(["sleep", "1"])
    ended = subprocess.run(
        [sys.executable, "-c", "import time; from esl.stages.command import stage; stage(lambda: time.sleep(4))"],
        env=os.environ | {SNAKEMAKE: str(other.pid)},
    )
    assert other.wait() == 0 and ended.returncode == 0
