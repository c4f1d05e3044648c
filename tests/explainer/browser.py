"""Headless Chromium, and what it makes of a page: sizes, colours and text as they are on the screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from selenium import webdriver

CHROMIUM: Final = Path("/usr/bin/chromium")
DRIVER: Final = Path("/usr/bin/chromedriver")

_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Every piece of text that is on the screen: what it says, its box, its size in pixels, and the colours of it and
# of what lies behind. An SVG is as transparent as the page; what is clipped away is not on the screen.
_TEXTS: Final = """
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (colour !== "rgba(0, 0, 0, 0)") return colour;
  }
  return getComputedStyle(document.documentElement).backgroundColor;
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
  if (!text || !element.checkVisibility() || element.localName === "title") continue;
  if (element.closest(".key") && getComputedStyle(element.closest(".key")).position === "absolute") continue;
  const range = document.createRange();
  range.selectNodeContents(walker.currentNode);
  const style = getComputedStyle(element), drawn = element instanceof SVGElement;
  const {left, top, right, bottom} = drawn ? element.getBoundingClientRect() : range.getBoundingClientRect();
  found.push({
    text, left, top, right, bottom, drawn,
    size: parseFloat(style.fontSize) * (drawn ? element.getScreenCTM().a : 1),
    colour: drawn ? style.fill : style.color,
    behind: behind(element),
  });
}
return found;
"""

_BOXES: Final = """
return [...document.querySelectorAll(arguments[0])].filter((each) => each.checkVisibility()).map((each) => {
  const {left, top, right, bottom} = each.getBoundingClientRect();
  return {text: (each.innerText ?? each.textContent).trim(), left, top, right, bottom};
});
"""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is on the screen, in pixels, and the text in it."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    def overlaps(self, other: Box, by: float = 1.0) -> bool:
        """Whether both share more than so many pixels in each direction."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > by and min(self.bottom, other.bottom) - max(self.top, other.top) > by


@dataclass(frozen=True, slots=True)
class Text(Box):
    """Text on the screen; drawn: as part of a picture."""

    drawn: bool
    size: float
    colour: str
    behind: str

    @property
    def contrast(self) -> float:
        """Ratio of the luminances of text and ground (WCAG 2.2, 1.4.3)."""
        darker, lighter = sorted((luminance(self.colour), luminance(self.behind)))
        return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of an opaque `rgb(…)` (WCAG 2.2, definitions).

    >>> luminance("rgb(255, 255, 255)")
    1.0
    """
    channels = [int(channel) / 255 for channel in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


class Browser:
    """One window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def show(self, path: Path, width: int, scheme: str) -> None:
        """Open a file in a window of this width, by someone who prefers this colour scheme."""
        preferred = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", preferred)
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self._driver.get(path.as_uri())

    def ask(self, script: str, *arguments: object) -> Any:
        """What a script of the test returns; the page's own policy does not bind it."""
        return self._driver.execute_script(script, *arguments)

    def boxes(self, selector: str) -> list[Box]:
        """What is visible of the elements that a selector finds."""
        return [Box(**each) for each in self.ask(_BOXES, selector)]

    def texts(self) -> list[Text]:
        """All text on the screen."""
        return [Text(**each) for each in self.ask(_TEXTS)]

    def complaints(self) -> list[str]:
        """What it has logged since it was asked before."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses of everything it has loaded since it was asked before."""
        messages = [json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")]
        sent = [each for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [each["params"]["request"]["url"] for each in sent]


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile for the length of a block; skips the test where there is none."""
    for program in (CHROMIUM, DRIVER):
        if not program.exists():
            pytest.skip(f"{program} is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
