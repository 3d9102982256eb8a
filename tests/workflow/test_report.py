"""The figures of a benchmark and the report that holds them, in a real browser without network."""

import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.conftest import Project
from tests.workflow.jobs import gta2city

RESULTS = "results/gta2city"
PAGE = f"{RESULTS}/figures.md"
ROUNDS = ("bdl-round1", "esl-round1")
FIGURES = {
    "iou", "training", "pseudo_labels", "adapted/risk_coverage",
    *(f"{model}/confusion" for model in ("source", "adapted", "control-round1", *ROUNDS)),
    *(f"{round_}/{figure}" for round_ in ROUNDS for figure in ("gallery", "thresholds")),
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn(run_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished checkout with all figures and the report of them, as one file and as an archive."""
    root = tmp_path_factory.mktemp("drawn") / "project"
    shutil.copytree(run_once, root)
    project = Project(root)
    assert project.planned() == set()
    run = project.snakemake("--report", f"{RESULTS}/report.html", "--report-after-run", targets=[PAGE])
    assert run.returncode == 0, run.stdout + run.stderr
    run = project.snakemake("--report", f"{RESULTS}/report.zip", targets=[PAGE])
    assert run.returncode == 0, run.stdout + run.stderr
    with zipfile.ZipFile(root / RESULTS / "report.zip") as archive:
        archive.extractall(root / RESULTS / "unpacked")
    return project


def test_the_page_shows_every_figure(drawn):
    text = (drawn.root / PAGE).read_text()
    assert {name.removesuffix(".png") for name in re.findall(r"!\[\w+\]\((.+)\)", text)} == FIGURES
    for figure in FIGURES:
        assert (drawn.root / RESULTS / f"{figure}.png").read_bytes().startswith(b"\x89PNG")


def test_figures_are_drawn_once_and_only_when_asked_for(drawn, fresh):
    assert drawn.planned(targets=[PAGE]) == drawn.planned() == set()
    assert not [job for job in fresh.planned() if job.startswith(("Drawing", "Listing", "Making"))]
    assert len([job for job in fresh.planned(targets=[PAGE]) if job.startswith("Drawing")]) == len(FIGURES)


def test_a_change_of_a_figure_draws_it_again_and_nothing_else(drawn):
    file = "esl/figures/thresholds.py"
    code = (drawn.root / file).read_text()
    drawn.edit(file, "BINS = 64", "BINS = 128")
    try:
        assert drawn.planned() == set()
        expected = {f"Drawing the thresholds of {round_}" for round_ in ROUNDS} | {"Listing the figures"}
        assert drawn.planned(targets=[PAGE]) == expected
    finally:
        (drawn.root / file).write_text(code)


@pytest.mark.slow
def test_unlabelled_photographs_have_a_figure_for_everything(drawn):
    """As a folder of photographs is: nothing to score, and no risk to draw."""
    project = Project(drawn.root.parent / "photographs")
    shutil.copytree(drawn.root, project.root)
    shutil.rmtree(project.root / RESULTS)
    photos = project.root / "photos"
    photos.mkdir()
    images = sorted((project.root / "data/miniature/0/cityscapes/leftImg8bit").rglob("*.png"))
    for number, path in enumerate(images[:4]):
        shutil.copy(path, photos / f"<script>$x_{{ \"{number}'.png")
    target = {"dataset": "folder", "root": "photos", "train_split": "all", "val_split": "all"}
    run = project.snakemake(targets=[PAGE], change=gta2city(target=target))
    assert run.returncode == 0, run.stdout + run.stderr
    for figure in FIGURES:
        assert (project.root / RESULTS / f"{figure}.png").is_file(), figure


# ---------------------------------------------------------------------------------------------------- the browser


@pytest.mark.parametrize("file", ["report.html", "unpacked/report/report.html"])
def test_every_figure_and_its_caption_is_seen_without_network(drawn, browser, file):
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 720})
    page, complaints, requests = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url[:200]))
    page.on("request", lambda request: requests.append(request.url[:200]))
    page.goto((drawn.root / RESULTS / file).as_uri())
    page.get_by_role("link", name="Results", exact=True).click()
    assert page.get_by_text("ESL adapts a model of semantic segmentation").is_visible()
    seen = set()
    for folder in ("(all models)", "source", "adapted", "control-round1", *ROUNDS):
        page.get_by_text(folder, exact=True).click()
        rows = page.locator("tbody tr")
        page.wait_for_function("document.querySelectorAll('tbody tr').length > 0")
        for number in range(rows.count()):
            if "text table" not in rows.nth(number).inner_text():
                seen.add(_look(page, rows.nth(number)))
                page.get_by_text(folder, exact=True).click()
        page.get_by_text("gta2city", exact=True).click()
    assert seen == {f"{RESULTS}/{figure}.png" for figure in FIGURES}
    assert complaints == []
    assert not [url for url in requests if not url.startswith(("file:", "data:"))]
    context.close()


def _look(page: Any, row: Any) -> str:
    """Opens the figure of a row, and then its caption; the path of the figure."""
    show, explain = row.locator("a").all()
    show.click()
    image = page.locator("img").last  # the first is the logo
    page.wait_for_function("[...document.images].at(-1).complete && [...document.images].at(-1).naturalWidth > 400")
    assert image.is_visible() and image.bounding_box()["width"] > 400
    explain.click()
    page.get_by_text("Description", exact=True).wait_for()
    text = page.locator("nav").first.inner_text()  # the second is the path of where one is
    assert len(text.partition("DESCRIPTION")[2].partition("SIZE")[0]) > 100
    return re.findall(rf"{RESULTS}/\S+\.png", text)[0]
