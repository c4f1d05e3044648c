"""The report in a real browser: read in light and dark, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import pytest

from explainer.report_page import page
from tests.explainer.browser import Browser, chromium, luminance
from tests.explainer.report_samples import HOSTILE, Explanation, by_rule, lone, rich, typical

pytestmark = pytest.mark.slow

PHONE, DESK = 360, 1280


def hostile() -> Explanation:
    """A long lone name full of markup."""
    return lone(HOSTILE + "x" * 200)


SAMPLES: dict[str, Callable[[], Explanation]] = {
    "typical": typical,
    "rich": rich,
    "lone": lone,
    "rule": by_rule,
    "hostile": hostile,
}
everywhere = pytest.mark.parametrize("scheme", ["light", "dark"])
at_any_width = pytest.mark.parametrize("width", [PHONE, 768, DESK])
of_every_kind = pytest.mark.parametrize("name", SAMPLES)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this file."""
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The samples' pages, by name."""
    folder = tmp_path_factory.mktemp("reports")
    for name, sample in SAMPLES.items():
        (folder / f"{name}.html").write_text(page(sample()))
    return {name: folder / f"{name}.html" for name in SAMPLES}


@of_every_kind
@at_any_width
@everywhere
def test_a_page_fits_and_can_be_read(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    """Nothing scrolls sideways, no text is cut off, small or faint, and the colours are those one prefers."""
    browser.show(pages[name], width, scheme)
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    texts = browser.texts()
    assert min(text.size for text in texts) >= 11.99
    assert min(text.contrast for text in texts) >= 4.5
    assert all(text.left >= 0 and text.right <= width + 0.5 for text in texts)
    assert (luminance(texts[0].behind) > 0.5) == (scheme == "light")


@of_every_kind
@at_any_width
def test_everything_is_on_the_screen(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    """Domain, score, action, summary, and every bar's or condition's text are visible."""
    explanation = SAMPLES[name]()
    browser.show(pages[name], width, "light")
    seen = " ".join(text.text for text in browser.texts())
    for said in (explanation["domain"], f"{explanation['score']:.3f}", explanation["summary"]):
        assert said in seen
    assert explanation["action"].capitalize() in seen
    for each in (*explanation.get("contributions", ())[:12], *explanation.get("rule", ())):
        assert each["text"] in seen


@pytest.mark.parametrize("name", ["typical", "rich", "lone"])
@at_any_width
def test_bars_are_as_long_as_contributions(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    """One scale for all: lengths are proportional, raising ones start where lowering ones end."""
    gains = [each["contribution"] for each in SAMPLES[name]()["contributions"]]
    shown = gains[:12] + ([sum(gains[12:])] if gains[12:] else [])
    browser.show(pages[name], width, "light")
    bars, tracks = browser.boxes(".bar"), browser.boxes(".track")
    assert len(bars) == len(shown) == len(tracks)
    zero = bars[0].left if shown[0] > 0 else bars[0].right
    for gain, bar, track in zip(shown, bars, tracks, strict=True):
        # At least a pixel is drawn.
        assert bar.width == pytest.approx(max(1.0, abs(gain / shown[0]) * bars[0].width), abs=0.1)
        assert (bar.left if gain > 0 else bar.left + abs(gain / shown[0]) * bars[0].width) == pytest.approx(
            zero, abs=0.1
        )
        assert track.left - 0.1 <= bar.left
        assert bar.right <= track.right + 1.1


@pytest.mark.parametrize("name", ["typical", "rich", "rule"])
@at_any_width
def test_every_node_is_drawn(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    """The one drawing that fits the window shows every node, all apart, and no label on another one."""
    browser.show(pages[name], width, "light")
    symbols = browser.boxes("figure > svg .node > :not(text, title)")
    assert len(symbols) == len(SAMPLES[name]()["graph"]["nodes"])
    labels = browser.boxes("figure > svg .node:not(.target) > text")
    for one, other in combinations(symbols, 2):
        assert not one.overlaps(other)
    for one, other in combinations(labels, 2):
        assert not one.overlaps(other, by=2.0), (one, other)
    for label in labels:
        assert not any(label.overlaps(symbol) for symbol in symbols), label


def test_on_a_phone_numbers_stand_for_labels(browser: Browser, pages: dict[str, Path]) -> None:
    """Each number in the drawing has its name in the list below; on a desk the labels are in the drawing."""
    neighbours = [each["label"] for each in rich()["graph"]["nodes"] if each["players"]]
    browser.show(pages["rich"], PHONE, "light")
    numbers = sorted(int(label.text) for label in browser.boxes("figure > svg .near > text"))
    assert numbers == list(range(1, 32))
    listed = [line.text.split()[:2] for line in browser.boxes(".key > li")]
    assert sorted(label for _, label in listed) == sorted(neighbours)
    assert [int(number) for number, _ in listed] == numbers
    browser.show(pages["rich"], DESK, "light")
    drawn = [label.text for label in browser.boxes("figure > svg .near > text:not(.note)")]
    assert len(drawn) == 31
    assert set(drawn) & set(neighbours)


def test_the_table_opens_without_a_script(browser: Browser, pages: dict[str, Path]) -> None:
    """All contributions are there for those who want every number."""
    browser.show(pages["rich"], PHONE, "dark")
    assert not browser.boxes("table td")
    browser.ask("document.querySelector('summary').click()")
    assert len(browser.boxes("table td")) == len(rich()["contributions"]) + 2
    assert browser.ask("return document.documentElement.scrollWidth") <= PHONE


@of_every_kind
def test_a_page_asks_for_nothing(browser: Browser, pages: dict[str, Path], name: str) -> None:
    """The browser loads the file and nothing else, and has nothing to complain about."""
    browser.requests()
    browser.complaints()
    browser.show(pages[name], DESK, "light")
    assert browser.requests() == [pages[name].as_uri()]
    assert browser.complaints() == []
