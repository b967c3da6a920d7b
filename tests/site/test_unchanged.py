"""A page is looked at again when it, what it loads or the browser changed, and while something is wrong."""

from pathlib import Path

import pytest

from tests.site.browser import Seen
from tests.site.unchanged import Unchanged

PAGE, OTHER = "start/index.html", "index.html"
GOOD = Seen(too_wide=-8)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of two pages, of which one was found good."""
    monkeypatch.delenv("FRESH", raising=False)
    site = tmp_path / "site"
    for name in (PAGE, OTHER, "site.css", "search_index.json"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(name)
    _again(site).keep(PAGE, GOOD)
    return site


def _again(site: Path, browser: str = "156") -> Unchanged:
    return Unchanged(site, browser, site.parent / "kept")


def test_what_was_found_good_is_known_again(made: Path) -> None:
    again = _again(made)
    assert (again.find(PAGE), again.find(OTHER), again.found) == (GOOD, None, 1)


@pytest.mark.parametrize(
    ("changed", "known"), [(PAGE, False), ("site.css", False), ("search_index.json", True)]
)
def test_a_change_of_what_a_page_shows_is_looked_at(made: Path, changed: str, known: bool) -> None:
    (made / changed).write_text("changed")
    assert (_again(made).find(PAGE) == GOOD) is known


def test_another_browser_looks_again(made: Path) -> None:
    assert _again(made, "157").find(PAGE) is None


def test_all_is_looked_at_when_asked(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESH", "1")
    assert _again(made).find(PAGE) is None


@pytest.mark.parametrize(
    "seen",
    [
        Seen(console=["error"]),
        Seen(missing=["404"]),
        Seen(serious=["button-name"]),
        Seen(dark=["color-contrast"]),
        Seen(too_wide=4),
        Seen(blocks=1, diagrams=[{"width": 300}]),
    ],
)
def test_neither_a_finding_nor_a_diagram_is_kept(made: Path, seen: Seen) -> None:
    _again(made).keep(OTHER, seen)
    assert _again(made).find(OTHER) is None


def test_what_is_kept_is_of_the_pages_there_are(made: Path) -> None:
    # Given another page that was found good, and then changed
    first = _again(made)
    first.keep(OTHER, GOOD)
    (made / OTHER).write_text("changed")
    # When a run has asked for every page
    run = _again(made)
    assert [run.find(page) for page in (PAGE, OTHER)] == [GOOD, None]
    run.forget_the_rest()
    # Then the page as it was is forgotten
    (made / OTHER).write_text(OTHER)
    assert [_again(made).find(page) for page in (PAGE, OTHER)] == [GOOD, None]
