"""Whatever the bytes of its file, every reader returns a sound value or refuses in one line that names the file."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from esl.data.index import Index
from esl.errors import InputError
from tests.fuzz.binaries import binary_readers
from tests.fuzz.harness import Reader, fuzz
from tests.fuzz.images import image_readers
from tests.fuzz.labelling import labelling_readers
from tests.fuzz.texts import text_readers

INPUTS = int(os.environ.get("FUZZ", "10000"))
"""How many inputs the long form gives to each reader."""

ONLY = os.environ.get("FUZZ_ONLY", "")
"""Part of the name of those readers that the long form takes."""

WITHOUT = ("files.json", "last.pt")
"""Files whose readers go on without them, as if they were not there."""

NOT_OURS = ("config",)
"""Files that Snakemake reads."""

SEED = int(os.environ.get("FUZZ_SEED", "0"))


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory, small_index: Index) -> Iterator[list[tuple[Reader, Path]]]:
    """Every reader, and the folder that its inputs are written to."""
    folder = tmp_path_factory.mktemp("fuzz")
    texts, binaries = folder / "texts", folder / "binaries"
    for each in (texts, binaries, folder / "images"):
        each.mkdir()
    yield [
        *((reader, folder / "images") for reader in image_readers()),
        *((reader, texts) for reader in text_readers(texts, small_index)),
        *((reader, binaries) for reader in binary_readers(binaries)),
        *((reader, folder / "labelling") for reader in labelling_readers()),
    ]


def test_a_hundred_damaged_inputs_of_every_reader(readers: list[tuple[Reader, Path]], tmp_path: Path) -> None:
    """The short form."""
    reports = [fuzz(reader, 100 // reader.slower, folder) for reader, folder in readers]
    findings = "\n".join(report.keep(tmp_path) for report in reports if report.findings)
    assert not findings, f"\n{findings}"


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_pipe_or_an_endless_device_in_place_of_a_file_is_refused(
    readers: list[tuple[Reader, Path]], tmp_path: Path, kind: str
) -> None:
    def hang(*_: object) -> None:
        raise AssertionError("it is still reading")

    signal.signal(signal.SIGALRM, hang)
    wrong = []
    for reader, folder in readers:
        if reader.name in NOT_OURS:
            continue
        path = folder / reader.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
        signal.alarm(10)
        try:
            reader.read(path)
            wrong += [f"{reader.name}: read"] if reader.name not in WITHOUT else []
        except InputError:
            pass
        except BaseException as error:
            wrong.append(f"{reader.name}: {error!r}")
        finally:
            signal.alarm(0)
            path.unlink()
    assert not wrong, "\n".join(wrong)


@pytest.mark.fuzz
def test_every_reader(readers: list[tuple[Reader, Path]], tmp_path: Path) -> None:
    reports = []
    print("\n| reader | inputs | read | refused | findings | seconds |\n|---|---:|---:|---:|---:|---:|")
    for reader, folder in readers:
        if ONLY in reader.name:
            reports.append(fuzz(reader, INPUTS, folder, SEED))
            print(reports[-1].row, flush=True)
    findings = "\n".join(report.keep(tmp_path) for report in reports if report.findings)
    assert not findings, f"\n{findings}"
