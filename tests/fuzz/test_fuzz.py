"""Whatever the bytes of its file, every reader returns a sound value or refuses in one line that names the file."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esl.data.index import Index
from tests.fuzz.binaries import binary_readers
from tests.fuzz.harness import Reader, fuzz
from tests.fuzz.images import image_readers
from tests.fuzz.texts import text_readers

INPUTS = int(os.environ.get("FUZZ", "10000"))
"""How many inputs the long form gives to each reader."""

ONLY = os.environ.get("FUZZ_ONLY", "")
"""Part of the name of those readers that the long form takes."""

SEED = int(os.environ.get("FUZZ_SEED", "0"))


@pytest.fixture(scope="module")
def readers(
    tmp_path_factory: pytest.TempPathFactory, small_index: Index, png_of_16_bits: Callable[..., bytes]
) -> Iterator[list[tuple[Reader, Path]]]:
    """Every reader, and the folder that its inputs are written to."""
    folder = tmp_path_factory.mktemp("fuzz")
    texts, binaries = folder / "texts", folder / "binaries"
    for each in (texts, binaries, folder / "images"):
        each.mkdir()
    yield [
        *((reader, folder / "images") for reader in image_readers(png_of_16_bits)),
        *((reader, texts) for reader in text_readers(texts, small_index)),
        *((reader, binaries) for reader in binary_readers(binaries)),
    ]


def test_a_hundred_damaged_inputs_of_every_reader(readers: list[tuple[Reader, Path]], tmp_path: Path) -> None:
    """The short form."""
    reports = [fuzz(reader, 100 // reader.slower, folder) for reader, folder in readers]
    findings = "\n".join(report.keep(tmp_path) for report in reports if report.findings)
    assert not findings, f"\n{findings}"


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
