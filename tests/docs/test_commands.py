"""Every command in the documentation is run as written; `snakemake` and `make` only plan."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.configs import PROJECT
from tests.documents import indented_blocks
from tests.dry_runs import dry_run
from tests.labelling.label_files import write_masks

DOCUMENTS = [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md", "docs/use.md", "docs/labelling.md",
    "docs/figures.md",
    "docs/results.md", "docs/experiments.md", "docs/caching.md", "docs/cluster.md", "docs/faults.md",
    "docs/extending.md", "performance/README.md",
]  # fmt: skip
CONFIGS = sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "config").glob("*.yaml"))
OVERLAYS = [name for name in CONFIGS if name not in ("config/config.yaml", "config/reproduce.yaml")]
TABLES = (
    "config/ablation.yaml", "config/adaptations.yaml", "config/ten_labels.yaml", "config/streets2camvid_labels.yaml",
)  # fmt: skip
"""Overlays for tables of the documents, over several seeds."""
PLANNED = ("--dry-run", "--quiet", "rules", "--cores", "2")
"""The first words after `snakemake`."""
PROGRAMS = ("snakemake", "make", "python", "for", "docker")
"""The first words of a block of commands; other blocks show files or their content."""
BUILD = "docker build --tag esl ."
"""The command whose files are checked instead: images of others cannot be had everywhere."""


def shown_commands() -> Iterator[tuple[str, str]]:
    """Document and command; a block of several lines is one command, if it is a loop, else one for each line."""
    for name, margin in [*((name, "    ") for name in DOCUMENTS), *((name, "#   ") for name in CONFIGS)]:
        for block in indented_blocks((PROJECT / name).read_text(encoding="utf-8"), margin):
            if block.split()[0] not in PROGRAMS:
                continue
            commands = [block] if block.startswith("for ") else [line for line in block.splitlines() if line.strip()]
            yield from ((name, command) for command in commands)


COMMANDS = [shown for shown in dict.fromkeys(shown_commands()) if shown[1] != BUILD]
ONCE = {command: name for name, command in reversed(COMMANDS)}
"""Each command, and the first document that shows it."""


def files_in(text: str) -> dict[str, str]:
    """The files that indented blocks show: a block whose first line is a comment with the file's name."""
    blocks = (block.split("\n", 1) for block in indented_blocks(text, "    ") if block.startswith("# "))
    return {head.removeprefix("# ").strip(): body for head, body in blocks}


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the files that the README tells a user to write, and data where it says they are."""
    root = tmp_path_factory.mktemp("newcomer") / "project"
    for folder in ("esl", "miniature", "workflow", "config", "performance", "examples"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("Makefile", "environment.yml", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / file, root)
    for page in ("README.md", "docs/labelling.md"):
        for name, content in files_in((PROJECT / page).read_text(encoding="utf-8")).items():
            (root / name).write_text(content.replace("/data/", f"{root}/elsewhere/"))
    write_masks(root / "corrected.zip", {"train": {"1": np.zeros((48, 64), np.uint8)}})
    manual = (PROJECT / "config/README.md").read_text(encoding="utf-8")
    blocks = indented_blocks(manual, "    ")
    declarations = [block for block in blocks if block.startswith(("datasets:", "class_sets:"))]
    (root / "camera.yaml").write_text("\n".join(declarations).partition("\nbenchmarks:")[0] + "\n" + declarations[1])
    extending = (PROJECT / "docs/extending.md").read_text(encoding="utf-8")
    (root / "kitti.yaml").write_text(extending.partition("```yaml\n")[2].partition("```")[0])
    image = Image.new("RGB", (64, 48))
    camera, kitti = root / "elsewhere/camera", root / "elsewhere/kitti/training"
    for path, content in (
        (root / "photos/1.jpg", image),
        (camera / "frames/day1/a/1.jpg", image),
        (camera / "masks/day1/a/1_mask.png", Image.new("L", (64, 48), 1)),
        (kitti / "image_2/1.png", image),
        (kitti / "semantic/1.png", Image.new("L", (64, 48), 7)),
    ):
        path.parent.mkdir(parents=True)
        content.save(path)
    for folder in ("elsewhere/gta5", "elsewhere/cityscapes"):
        (root / folder).mkdir(parents=True)
    for folder in ("gta5", "synthia", "cityscapes", "mapillary", "acdc", "dark_zurich", "camvid"):
        (root / "data" / folder).mkdir(parents=True)
    (root / "weights").mkdir()
    for name in OVERLAYS:
        for file in re.findall(r"pretrained: (weights/\S+)", (PROJECT / name).read_text(encoding="utf-8")):
            (root / file).touch()
    shims = root / "shims"
    shims.mkdir()
    for name, command in (
        ("snakemake", f"{sys.executable} -m snakemake {' '.join(PLANNED)}"),
        ("make", f"{shutil.which('make')} --dry-run"),
        ("python", sys.executable),
    ):
        (shims / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (shims / name).chmod(0o755)
    return root


def test_the_documents_show_commands():
    assert len(COMMANDS) > 15
    assert {name for name, _ in COMMANDS} >= {"README.md", "config/README.md", "docs/results.md", *OVERLAYS}


@pytest.mark.parametrize("command", ONCE, ids=[f"{name}: {text[:60]}" for text, name in ONCE.items()])
def test_a_command_of_the_documentation_runs(newcomer, command):
    typed = command.partition("  #")[0].replace("/data/", f"{newcomer}/elsewhere/")
    for dataset in ("camera", "kitti"):
        if f"--dataset {dataset}" in typed:  # declared in a file of the reader's own, which the page shows
            typed = typed.replace("mine.yaml", f"{dataset}.yaml")
    if "-m esl.stages.verify" in typed or "-m esl.stages.export_label_ids" in typed:
        typed = f"{typed} --help"  # there are no results here; tests of these two stages have some
    if typed.startswith("docker run"):  # what the image runs, in the folder that it mounts
        typed = typed.partition(" esl ")[2].replace("/work", str(newcomer))
    if "-m performance" in typed:
        typed = f"{typed} --help"  # measures for minutes
    typed = re.sub(r"--report \S+ --report-after-run ", "", typed)  # a plan has no report; tests/workflow makes one
    environment = os.environ | {"PATH": f"{newcomer}/shims:{os.environ['PATH']}"}
    if typed.startswith("snakemake ") and not set(typed) & set("$*?;|&<>~(){}"):  # needs no shell
        run = dry_run(newcomer, environment, *PLANNED, *shlex.split(typed)[1:])
    else:
        run = subprocess.run(["bash", "-ec", typed], cwd=newcomer, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_the_image_copies_what_is_there_and_installs_extras_that_the_project_has():
    assert ("docs/cluster.md", BUILD) in shown_commands()
    recipe = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY (.*)", recipe, re.M) for word in line.split()[:-1]]
    assert copied and all((PROJECT / word).exists() for word in copied)
    extras = re.findall(r"--editable '\.\[(.*)\]'", recipe)[0].split(",")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras) <= project["optional-dependencies"].keys()


@pytest.mark.parametrize("name", [*DOCUMENTS, *CONFIGS])
def test_a_document_holds_no_placeholder(name):
    assert not re.search(r"@@[A-Z]|TODO|TBD", (PROJECT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("overlay", [name for name in OVERLAYS if name not in TABLES])
def test_an_overlay_shows_the_command_that_runs_it(overlay):
    result = f"results/{Path(overlay).stem}/miou.json"
    assert (overlay, f"snakemake --cores 8 {result} --configfile {overlay}") in COMMANDS
