"""What the page of a report says, and what it never says."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import strategies as st

from explainer.report_page import UnexpectedAnswer, page
from tests.explainer.report_samples import (
    HOSTILE,
    Explanation,
    by_contributions,
    by_rule,
    changed,
    edge,
    lone,
    node,
    rich,
    typical,
)
from tests.serving.server_process import REPOSITORY

SAMPLES: dict[str, Callable[[], Explanation]] = {
    "typical": typical,
    "rich": rich,
    "lone": lone,
    "rule": by_rule,
}


class Document(HTMLParser):
    """The tags, attributes and text of a page, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._said: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self._said.append(data)

    @property
    def text(self) -> str:
        """All text, its white space collapsed."""
        return " ".join("".join(self._said).split())


gains = st.floats(-1, 1).map(lambda gain: round(gain, 4))


@pytest.mark.parametrize("sample", [typical, rich, lone])
def test_the_rows_of_a_page_add_up_to_the_score(sample: Callable[[], Explanation]) -> None:
    """The numbers beside the bars, and those of the table, and the base are the score but for rounding."""
    explanation = sample()
    html = page(explanation)
    shown = [number(text) for text in re.findall(r'<span class="number">([^<]+)</span></li>', html)]
    assert len(shown) == min(len(explanation["contributions"]), 13)
    assert explanation["base_value"] + math.fsum(shown) == pytest.approx(explanation["score"], abs=0.007)
    base, *rows, score = (number(text) for text in re.findall(r"<td>([^<]+)</td>", html))
    assert len(rows) == len(explanation["contributions"])
    assert base + math.fsum(rows) == pytest.approx(score, abs=1e-9)


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_says_what_the_answer_says(name: str) -> None:
    """Domain, score, action, threshold, summary, versions, seed, snapshot and every text are on it."""
    explanation = SAMPLES[name]()
    text = Document(page(explanation)).text
    for said in (
        "domain",
        "summary",
        "model_version",
        "explainer_version",
        "feature_schema",
        "graph_snapshot",
    ):
        assert explanation[said] in text
    assert f"{explanation['score']:.3f}" in text
    assert explanation["action"].capitalize() in text
    assert f"{explanation['threshold']:.3f}" in text
    assert "514 graphs scored, 48.2 ms" in text
    for each in (*explanation.get("contributions", ()), *explanation.get("rule", ())):
        assert each["text"] in text


@pytest.mark.parametrize("method", ["shap", "anchor"])
def test_nothing_in_an_answer_becomes_markup(method: str) -> None:
    """A hostile text in every place that holds text changes no tag and no attribute's name, and can be read."""
    kind, player = "domain", f"resolves {HOSTILE}"
    graph = {"nodes": [node(HOSTILE, kind), node(HOSTILE, kind, player)], "edges": [edge(0, 1, "resolves")]}
    harmless = {"nodes": [node("a", kind), node("b", kind, "b")], "edges": [edge(0, 1, "resolves")]}
    told = dict.fromkeys(("status", "summary", "model_version", "feature_schema", "graph_snapshot"), HOSTILE)
    if method == "shap":
        hostile = by_contributions(HOSTILE, [(player, HOSTILE, 0.5)], graph) | told
        plain = by_contributions("a", [("b", "b", 0.5)], harmless) | dict.fromkeys(told, "c")
    else:
        hostile = by_rule(graph) | told | {"domain": HOSTILE, "explainer_version": HOSTILE}
        hostile["rule"][0]["text"] = hostile["rule"][1]["player"] = HOSTILE
        plain = by_rule(harmless) | dict.fromkeys(told, "c")
    read, expected = Document(page(hostile)), Document(page(plain))
    assert read.tags == expected.tags
    assert [name for name, _ in read.attributes] == [name for name, _ in expected.attributes]
    assert read.text.count(HOSTILE) >= 7


def test_what_does_not_print_is_written_out() -> None:
    """Control characters, lone surrogates and marks that reorder text are shown as escapes."""
    html = page(changed(lone(), "summary", "a\x00b\u202ec\ud800d"))
    assert r"a\x00b\u202ec\ud800d" in html
    html.encode()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_loads_nothing(name: str) -> None:
    """No script, link, image, frame, font or form; its policy would let none of them work."""
    html = page(SAMPLES[name]())
    read = Document(html)
    assert not {"script", "link", "img", "iframe", "object", "form", "a", "use", "image"} & set(read.tags)
    assert not {"src", "href", "srcset", "action"} & {name for name, _ in read.attributes}
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|@font-face|https?://", html)
    assert (
        "content",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    ) in (read.attributes)


def test_the_same_answer_gives_the_same_bytes() -> None:
    """In another process, with other hashes of strings, the page is the same."""
    code = "from explainer.report_page import page; from tests.explainer.report_samples import rich; print(page(rich()))"
    pages = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert pages[0] == pages[1] == page(rich()).encode() + b"\n"


def test_a_lone_name_has_a_sentence_for_a_graph() -> None:
    """Nothing is drawn where nothing is known."""
    read = Document(page(lone()))
    assert "the score rests on the name alone" in read.text
    assert "svg" not in read.tags


def test_without_a_graph_there_is_none() -> None:
    """An explanation that was asked for without its graph says nothing of neighbours."""
    assert "Neighbours in passive DNS" not in page(changed(typical(), "graph", None))


def test_ignored_answers_are_said() -> None:
    """A status other than ok is on the page."""
    assert "answers ignored: no idea" in page(typical() | {"status": "answers ignored: no idea"})


def test_a_rule_is_told_with_the_own_numbers() -> None:
    """Conditions, the domain's own number, precision, and which neighbour is part of the rule."""
    html = page(by_rule())
    text = Document(html).text
    assert "As long as all of this holds, it is at least monitored" in text
    assert "characters in the label <= 9 (here 7)" in text
    assert "in 97% of the variations" in text
    assert "address, in the rule" in text
    assert html.count('class="node near kept"') == 2


def test_an_empty_rule_holds_whatever_changes() -> None:
    """It is told apart from no rule at all."""
    empty = by_rule() | {"rule": []}
    assert "No condition is needed" in page(empty)
    assert "No rule was tried in time" in page(empty | {"precision": None, "coverage": None})


BROKEN: list[tuple[str, Any, str]] = [
    ("summary", None, "summary: field required"),
    ("score", "0.9", "score: input should be a valid number"),
    ("score", math.nan, "score: input should be a finite number"),
    ("method", "lime", "does not match any of the expected tags"),
    ("action", "drop", "action: input should be 'allow'"),
    ("contributions", [], "contributions: list should have at least 1 item"),
    ("contributions.0.contribution", 0.9, "contributions: they add up to"),
    ("thresholds.block", None, "thresholds.block: field required"),
    ("graph.nodes", [], "graph.nodes: list should have at least 1 item"),
    ("graph.nodes.1.type", "mail", "graph.nodes.1.type: input should be 'domain'"),
    ("graph.edges.0.target", 11, "graph.edges: expected ends below 11, got 11"),
    ("graph.edges.0.relation", "hosts", "graph.edges.0.relation: input should be 'resolves'"),
]


@pytest.mark.parametrize(("place", "value", "message"), BROKEN)
def test_broken_answers_are_refused(place: str, value: Any, message: str) -> None:
    """What is no explanation is said with its place, not drawn."""
    with pytest.raises(UnexpectedAnswer, match=re.escape(message)):
        page(changed(typical(), place, value))


def test_what_later_versions_add_is_ignored() -> None:
    """Unknown fields change nothing."""
    assert page(changed(typical(), "graph.nodes.0.country", "nl") | {"news": 1}) == page(typical())
