"""Links of the documents lead somewhere, tests named in them exist, and the citation is of this version."""

import re
import tomllib

import pytest
import yaml

from tests.configs import PROJECT
from tests.docs.test_language import PAGES


def _anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_are_there(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    for file, anchor in re.findall(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)", text):
        target = (PROJECT / page).parent / file if file else PROJECT / page
        assert target.exists(), file
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), f"{file}#{anchor}"


def test_every_test_that_the_page_on_caching_names_is_there() -> None:
    named = re.findall(r"`(test_\w+)`", (PROJECT / "docs/caching.md").read_text(encoding="utf-8"))
    there = {
        name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 20
    assert set(named) - there == set()


def test_the_citation_names_the_version_and_the_licence_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    paper = citation["preferred-citation"]
    assert [author["family-names"] for author in paper["authors"]] == ["Saporta", "Vu", "Cord", "Pérez"]
