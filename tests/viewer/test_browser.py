"""The page in a real browser without network: the numbers it shows, its keys, its speed and its looks."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.files import read_json
from esl.stages import pseudo_label, threshold
from esl.viewer.page import page as html
from tests.conftest import WriteFrames
from tests.figures.conftest import MadeRound, MakeRound
from tests.viewer.conftest import viewed
from tests.viewer.test_build import HOSTILE, content

Open = Callable[..., Any]


def number(page: Any, selector: str) -> float | None:
    """The fraction that an element shows."""
    text = page.locator(selector).get_attribute("data-value")
    value: float | None = json.loads(text)
    shown = page.locator(selector).inner_text()
    assert shown.removesuffix(" %") == ("\u2013" if value is None else f"{100 * value:.1f}")
    return value


def selected(made: MadeRound, lines: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `threshold` and `pseudo_label` make of the lines of a config: thresholds.json and pseudo_labels.json."""
    (entry,) = yaml.safe_load(lines)["benchmarks"].values()
    settings = json.dumps({"method": "fixed", "parameters": entry["methods"]["fixed"]})
    maps = ["--maps", *map(str, made.shards)]
    threshold.main([*maps, "--output", str(folder / "thresholds.json"), "--settings", settings])
    flags = ["--thresholds", str(folder / "thresholds.json"), "--index", str(made.index)]
    pseudo_label.main([*maps, *flags, "--output", str(folder / "pseudo_labels.json")])
    return read_json(folder / "thresholds.json"), read_json(folder / "pseudo_labels.json")


def agrees(page: Any, made: MadeRound, folder: Path) -> None:
    """Whether the page shows exactly what the stages make of the lines that it copies."""
    page.click("#copy")
    lines = page.locator("#lines").input_value()
    cuts, labels = selected(made, lines, folder)
    assert number(page, "#kept-all") == cuts["kept"] == labels["kept"]
    assert number(page, "#right-all") == labels["quality"]["accuracy"]
    id_ = page.locator("#name").inner_text()
    assert number(page, "#kept-here") == labels["files"][id_]["kept"]
    rows = page.evaluate("""[...document.querySelectorAll("#class-rows tr")].map((row) =>
        [row.innerText.split("\\t")[0].trim(), ...[2, 3].map((cell) => JSON.parse(row.cells[cell].dataset.value))])""")
    assert len(rows) == sum(entry["pixels"] > 0 for entry in cuts["classes"].values())
    for name, kept, right in rows:
        assert (kept, right) == (cuts["classes"][name]["kept"], labels["quality"]["classes"][name]["accuracy"])


@pytest.mark.parametrize("measure", ["entropy", "confidence"])
@pytest.mark.parametrize("class_", ["all classes", "car"])
def test_a_position_of_the_slider_shows_exactly_what_the_stages_make_of_the_copied_lines(
    small_index: Index, make_round: MakeRound, opened: Open, tmp_path: Path, measure: str, class_: str
) -> None:
    made = make_round(small_index)
    page = opened(viewed(made))
    page.select_option("#measure", measure)
    page.select_option("#class", class_)
    page.locator("#config summary").click()
    last = int(page.locator("#slider").get_attribute("max"))
    shares = set()
    for position in (-1, 9, last // 2, last - 7, last):
        page.locator("#slider").fill(str(position))
        page.wait_for_function(
            f"sliderPosition() === {position} && document.getElementById('lines').value === configLines()"
        )
        agrees(page, made, tmp_path / "again")
        shares.add(number(page, "#kept-all"))
    assert len(shares) == 5
    if class_ == "all classes":
        assert {0.0, 1.0} < shares
    page.click("#own")
    page.get_by_text("As in this round.").wait_for()
    assert page.locator("#measure").evaluate("it => it.selectedOptions[0].text") == "entropy"
    assert number(page, "#kept-all") == made.thresholds["kept"]
    agrees(page, made, tmp_path / "own")


def test_everything_can_be_done_with_the_keyboard(
    small_index: Index, make_round: MakeRound, opened: Open, tmp_path: Path
) -> None:
    made = make_round(small_index)
    path = viewed(made, make_round(small_index, "sac"))
    page = opened(path)
    ids = sorted(made.maps)

    def after(*keys: str) -> dict[str, str]:
        for key in keys:
            page.keyboard.press(key)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.wait_for_function("shownNumber === state.image")
        words = page.evaluate("Object.fromEntries(new URLSearchParams(location.hash.slice(1)))")
        assert page.locator("#name").inner_text() == words["image"]
        return words

    assert after("ArrowRight", "n")["image"] == ids[2]
    assert after("Home")["image"] == ids[0] and after("End")["image"] == ids[4] and after("p")["image"] == ids[3]
    assert [after(str(key))["layer"] for key in range(1, 7)] == [
        "prediction", "measure", "pseudo", "truth", "errors", "difference",
    ]  # fmt: skip
    assert "kept here, not in sac-round1" in page.locator("#legend").inner_text()
    assert after("Space")["fade"] == "0" and after("Space")["fade"] == "70" and after("-")["fade"] == "60"
    assert after("m")["measure"] == "confidence" and after("0")["measure"] == "entropy"
    assert "cut" not in after("0") and "cut" in after("]")
    chosen = after("c", "]", "]", "}")["class"]
    assert page.locator("#class-rows [aria-pressed=true]").inner_text() == chosen
    after("/")
    page.keyboard.type(ids[1][-8:])
    assert after("Enter")["image"] == ids[1]
    after("Shift+ArrowRight")
    assert re.search(r"predicted .+ · entropy .+ · (not )?kept · truth .+", page.locator("#reading").inner_text())
    after("?")
    assert page.get_by_role("dialog").is_visible() and "ten images back" in page.get_by_role("dialog").inner_text()
    after("Escape")
    assert not page.get_by_role("dialog").is_visible()
    after("y")
    page.get_by_text("Copied.").wait_for()
    agrees(page, made, tmp_path / "again")
    assert opened(path, hash_=page.evaluate("location.hash")).evaluate("JSON.stringify(state)") == page.evaluate(
        "JSON.stringify(state)"
    )


def test_filters_and_orders_choose_images(small_index: Index, make_round: MakeRound, opened: Open) -> None:
    path = viewed(make_round(small_index))
    page, images = opened(path), content(path)["images"]
    page.select_option("#sort", "worst")
    page.keyboard.press("Escape")
    page.wait_for_function("listed.includes('worst')")
    by_accuracy = [image[0] for image in sorted(images, key=lambda image: image[2])]
    assert page.locator("#rows .row").evaluate_all("rows => rows.map((row) => row.title)") == by_accuracy
    page.fill("#least", "99")
    page.wait_for_function("order.length === 0")
    assert page.get_by_text("No image matches.").is_visible()
    page.click("#all")
    page.wait_for_function("order.length === 5")
    page.select_option("#holds", "car")
    page.wait_for_function("JSON.parse(listed)[1] === 13")
    car = sum(int(image[3], 16) >> 13 & 1 for image in images)
    assert page.evaluate("order.length") == car


@pytest.mark.parametrize("method", ["sac", "control"])
def test_a_rule_that_is_no_threshold_is_shown_as_it_is(
    small_index: Index, make_round: MakeRound, opened: Open, method: str
) -> None:
    made = make_round(small_index, method)
    page = opened(viewed(made))
    assert number(page, "#kept-all") == made.manifest.kept
    assert number(page, "#right-all") == made.manifest.quality.accuracy
    assert number(page, "#kept-here") == made.manifest.files[page.locator("#name").inner_text()].kept
    page.keyboard.press("]")
    page.wait_for_function("state.positions !== null")
    assert page.evaluate("configLines()").startswith("benchmarks:")


def test_without_labels_nothing_speaks_of_them(unlabelled_index: Index, make_round: MakeRound, opened: Open) -> None:
    page = opened(viewed(make_round(unlabelled_index)))
    assert page.locator("#layers label").all_inner_texts() == ["Prediction", "entropy", "Pseudo-label"]
    assert "right" not in page.locator("body").inner_text().lower().replace("right-", "")


def test_hostile_names_are_text(small_index: Index, make_round: MakeRound, opened: Open, tmp_path: Path) -> None:
    classes = (HOSTILE, "on", *CLASS_SETS["cityscapes19"].classes[2:])
    hostile = [replace(sample, id=f"<img src=x onerror=alert(1)> '{sample.id}\"") for sample in small_index.samples]
    index = replace(small_index, class_set=replace(small_index.class_set, classes=classes), samples=hostile)
    made = make_round(index, classes=classes, name="<b>-round1")
    page = opened(viewed(made))
    assert page.locator("#name").inner_text() == sorted(made.maps)[0]
    assert HOSTILE in page.locator("#class-rows").inner_text() and page.locator("img").count() == 0
    page.locator("#config summary").click()
    agrees(page, made, tmp_path / "again")


def test_a_missing_or_foreign_file_is_said(small_index: Index, make_round: MakeRound, browser: Any) -> None:
    path = viewed(make_round(small_index))
    (path.with_suffix("") / "00001.js").unlink()
    foreign = path.with_suffix("") / "00002.js"
    foreign.write_text(foreign.read_text().replace(content(path)["key"], "other"))
    page = browser.new_page()
    page.goto(path.as_uri())
    for _, words in zip(range(2), ("00001.js is missing", "00002.js belongs to another run"), strict=True):
        page.keyboard.press("ArrowRight")
        page.get_by_text(words).wait_for()
    page.close()


# ----------------------------------------------------------------------------------------------------- size and speed


@pytest.fixture(scope="module")
def street_index(tmp_path_factory: pytest.TempPathFactory, write_cityscapes: WriteFrames) -> Index:
    """Three smooth frames of 512x256."""
    rng = np.random.default_rng(0)
    frames = {}
    for frame in range(3):
        small = Image.fromarray(rng.integers(0, 256, (16, 32, 3), dtype=np.uint8))
        ids = Image.fromarray(rng.choice(np.array([7, 8, 11, 21, 23, 26], np.uint8), (8, 16)))
        image = np.asarray(small.resize((512, 256), Image.Resampling.BICUBIC))
        frames[f"ulm_{frame:06d}_000019"] = (image, np.asarray(ids.resize((512, 256), Image.Resampling.NEAREST)))
    root = write_cityscapes(tmp_path_factory.mktemp("streets"), "train", frames)
    return inspect(
        "cityscapes", format_named("cityscapes"), root, "train", CLASS_SETS["cityscapes19"], Checks()
    ).sound_index()


def test_a_page_of_500_images_opens_in_two_seconds_and_stays_below_300_megabytes(
    street_index: Index, make_round: MakeRound, opened: Open, browser: Any
) -> None:
    path = viewed(make_round(street_index))
    data = content(path)
    data["images"] = [[f"{number:04d}", *data["images"][number % 3][1:]] for number in range(500)]
    path.write_text(html(data), encoding="utf-8")
    folder = path.with_suffix("")
    texts = [(folder / f"{number:05d}.js").read_text().partition(",")[2] for number in range(3)]
    for number in range(500):
        (folder / f"{number:05d}.js").write_text(f"showImage({number},{texts[number % 3]}")
    start = time.perf_counter()
    page = opened(path)
    assert time.perf_counter() - start < 2
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("shownNumber === state.image")
    assert page.locator("#place").inner_text() == "41 / 500"
    assert page.locator("#rows .row").count() < 60 and page.evaluate("images.size") <= 4
    assert page.evaluate("performance.memory.usedJSHeapSize") < 100e6
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    for id_ in (process["id"] for process in processes if process["type"] == "renderer"):
        status = Path(f"/proc/{id_}/status").read_text()
        (resident,) = re.findall(r"VmRSS:\s+(\d+)", status)
        assert int(resident) < 300_000  # kB, those of the browser's libraries included


@pytest.mark.parametrize("size_wh", [(1280, 720), (390, 844)])
def test_the_page_fits_a_desktop_and_a_phone(
    street_index: Index, make_round: MakeRound, opened: Open, size_wh: tuple[int, int]
) -> None:
    page = opened(viewed(make_round(street_index), make_round(street_index, "bdl")), size_wh)
    for key in range(1, 7):
        page.keyboard.press(str(key))
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth") <= size_wh[0]
    box = page.locator("#overlay").bounding_box()
    assert box["width"] > 0.5 * size_wh[0] and box["y"] + box["height"] < size_wh[1]
    overflowing = """[...document.querySelectorAll("main *")].filter((it) => it.offsetParent && !it.closest("#list")
        && it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.id || it.tagName)"""
    assert page.evaluate(overflowing) == []


def test_controls_have_names_for_screen_readers(small_index: Index, make_round: MakeRound, opened: Open) -> None:
    page = opened(viewed(make_round(small_index), make_round(small_index, "bdl")))
    nameless = """[...document.querySelectorAll("button, input, select, textarea")].filter((it) =>
        !it.getAttribute("aria-label") && !it.textContent.trim() && !it.labels?.length).map((it) => it.id)"""
    assert page.evaluate(nameless) == []
    for role, name in (
        ("slider", "Threshold"),
        ("listbox", "Images"),
        ("radio", "Prediction"),
        ("button", "Next image"),
    ):
        assert page.get_by_role(role, name=name).count() == 1, name
