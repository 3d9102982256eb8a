"""Rounds to look at, and pages that are opened without network."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esl.stages import viewer
from tests.figures.conftest import MadeRound, make_round, unlabelled_index

__all__ = ["make_round", "unlabelled_index"]


def viewed(made: MadeRound, *others: MadeRound, output: Path | None = None) -> Path:
    """Runs the stage; the path of the page."""
    page = output or made.folder / "viewer.html"
    compared = ["--others", *(str(other.folder / "pseudo_labels.json") for other in others)]
    flags = ["--thresholds", str(made.folder / "thresholds.json"), "--output", str(page), "--threads", "2"]
    viewer.main([*made.words(manifest=True), *flags, *compared])
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium, driven by playwright.

    Without either, tests are skipped; with ``REQUIRE_BROWSER`` in the environment, as CI sets it, they fail.
    """
    missing = pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright, which drives the browser, is not installed")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        missing("no Chromium is installed")
    with sync_playwright() as driver:
        flags = ["--no-sandbox", "--enable-precise-memory-info"]
        instance = driver.chromium.launch(executable_path=chromium, args=flags)
        yield instance
        instance.close()


class Opened:
    """A page opened from the file system, and everything that it complained of."""

    def __init__(self, browser: Any, size_wh: tuple[int, int]) -> None:
        self.context = browser.new_context(offline=True, viewport={"width": size_wh[0], "height": size_wh[1]})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        listeners = {
            "console": lambda message: self.complaints.append(message.text),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "requestfailed": lambda request: self.complaints.append(request.url[:200]),
            "dialog": lambda dialog: self.complaints.append(dialog.message),
            "request": lambda request: self.requests.append(request.url[:200]),
        }
        for event, listener in listeners.items():
            self.page.on(event, listener)

    def goto(self, path: Path, hash_: str = "") -> Any:
        """The page, once its first image is on the screen."""
        self.page.goto(path.resolve().as_uri() + hash_)
        self.page.wait_for_function("shown !== null")
        return self.page


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """A function that opens a page at 1280x720 or another size; complaints and requests to a network fail the test."""
    made: list[Opened] = []

    def open_(path: Path, size_wh: tuple[int, int] = (1280, 720), hash_: str = "") -> Any:
        made.append(Opened(browser, size_wh))
        return made[-1].goto(path, hash_)

    yield open_
    for one in made:
        assert one.complaints == []
        assert not [url for url in one.requests if not url.startswith(("file:", "data:", "blob:"))]
        one.context.close()
