"""The page that lists the figures."""

from pathlib import Path

from esl.stages.list_figures import main


def test_every_figure_is_on_the_page_once_below_its_folder(tmp_path: Path) -> None:
    names = ["iou.png", "source/confusion.png", "esl-round1/gallery.png", "esl-round1/confusion.png", "training.png"]
    figures = [str(tmp_path / name) for name in names]
    main(["--figures", *figures, "--benchmark", "gta2city", "--output", str(tmp_path / "figures.md")])
    lines = (tmp_path / "figures.md").read_text(encoding="utf-8").splitlines()
    heads = [line for line in lines if line.startswith(("#", "!"))]
    assert heads == [
        "# Figures of gta2city",
        "## All models", "![iou](iou.png)", "![training](training.png)",
        "## source", "![confusion](source/confusion.png)",
        "## esl-round1", "![gallery](esl-round1/gallery.png)", "![confusion](esl-round1/confusion.png)",
    ]  # fmt: skip
