"""The report: what its page says, where its drawing puts things, and what its command does."""

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.report import main
from explainer.report_layout import (
    NARROW,
    WIDE,
    Branch,
    Frame,
    Layout,
    arrange,
    branches_of,
    chart_of,
    shortened,
)
from explainer.report_page import UnexpectedAnswer, page
from tests.explainer.report_samples import (
    HOSTILE,
    Explanation,
    Peer,
    by_contributions,
    by_rule,
    changed,
    edge,
    lone,
    node,
    peer,
    rich,
    typical,
)
from tests.serving.server_process import REPOSITORY, free_ports

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


@given(st.lists(gains, min_size=1, max_size=40))
def test_bars_add_up(given_gains: list[float]) -> None:
    """However many there are, the bars together are all contributions; at most 13 are drawn, on one scale."""
    chart = chart_of([(str(place), gain) for place, gain in enumerate(given_gains)])
    assert math.fsum(bar.gain for bar in chart.bars) == pytest.approx(math.fsum(given_gains), abs=1e-9)
    assert len(chart.bars) == min(len(given_gains), 13)
    longest = max(chart.bars, key=lambda bar: abs(bar.gain))
    for bar in chart.bars:
        assert bar.left >= -1e-9
        assert bar.left + bar.width <= 100 + 1e-9
        assert (bar.left if bar.gain > 0 else bar.left + bar.width) == pytest.approx(chart.zero)
        assert bar.width * abs(longest.gain) == pytest.approx(longest.width * abs(bar.gain))


@pytest.mark.parametrize(("count", "last"), [(12, "11"), (13, "1 other"), (14, "2 others together")])
def test_the_twelve_largest_have_bars(count: int, last: str) -> None:
    """Those that are left share one bar, whose text says how many they are."""
    chart = chart_of([(str(place), 1 / (1 + place)) for place in range(count)])
    assert [bar.text for bar in chart.bars[:12]] == [str(place) for place in range(12)]
    assert chart.bars[-1].text == last


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


# How many neighbours, and which of them each node beyond hangs on.
shapes = st.tuples(st.integers(0, 31), st.lists(st.integers(0, 30), max_size=63))
pairs = st.lists(st.tuples(st.integers(0, 63), st.integers(0, 63)), max_size=20)


def tree_of(shape: tuple[int, list[int]]) -> list[Branch]:
    """Up to 31 neighbours with nodes beyond them, at most 64 nodes in all."""
    neighbours, hung = shape
    beyond: list[list[int]] = [[] for _ in range(neighbours)]
    for place, stem in enumerate(hung[: 63 - neighbours] if neighbours else (), neighbours + 1):
        beyond[stem % neighbours].append(place)
    return [Branch(place, tuple(far)) for place, far in enumerate(beyond, 1)]


def radius(layout: Layout, place: int) -> float:
    """Of a node's symbol; the diamond is the widest."""
    frame = layout.frame
    return 11.0 if place == 0 else 1.25 * (frame.far_radius if layout.spots[place].stem else frame.radius)


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@given(shape=shapes)
def test_nodes_keep_their_distance(frame: Frame, shape: tuple[int, list[int]]) -> None:
    """However a graph is built, no two symbols touch, and all are inside the picture."""
    tree = tree_of(shape)
    layout = arrange(tree, frame)
    assert layout.spots.keys() == {
        0,
        *(each.node for each in tree),
        *(far for each in tree for far in each.beyond),
    }
    for (one, here), (other, there) in combinations(layout.spots.items(), 2):
        apart = math.hypot(here.x - there.x, here.y - there.y)
        assert apart > radius(layout, one) + radius(layout, other), (one, other)
    for place, spot in layout.spots.items():
        assert abs(spot.x) + radius(layout, place) <= frame.width / 2
        assert abs(spot.y) + radius(layout, place) <= layout.height / 2


@given(shape=shapes)
def test_labels_have_room(shape: tuple[int, list[int]]) -> None:
    """In the wide drawing every label has a line of its own, of 18 letters or more, and ends inside the picture."""
    layout = arrange(tree_of(shape), WIDE)
    for side in (1, -1):
        for far, slot in ((False, WIDE.slot), (True, WIDE.far_slot)):
            spots = [spot for spot in layout.spots.values() if spot.side == side and bool(spot.stem) == far]
            assert all(abs(spot.x) + spot.room <= WIDE.width / 2 for spot in spots)
            assert all(len(shortened("x" * 99, spot.room)) >= 18 for spot in spots)
            for one, other in combinations(spots, 2):
                assert abs(one.y - other.y) >= slot - 1e-9


@given(shape=shapes, chords=pairs)
def test_a_graph_becomes_the_tree_that_it_was_made_of(
    shape: tuple[int, list[int]], chords: list[tuple[int, int]]
) -> None:
    """Every node hangs where its first edge leads; more edges between nodes two hops away change nothing."""
    tree = tree_of(shape)
    far = sorted(place for each in tree for place in each.beyond)
    edges = [(0, each.node) for each in tree] + [(place, each.node) for each in tree for place in each.beyond]
    edges += [(far[one % len(far)], far[other % len(far)]) for one, other in chords if far]
    assert branches_of(1 + len(tree) + len(far), edges, [each.node for each in tree]) == tree


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@given(shape=shapes, pairs=pairs)
def test_edges_join_their_nodes_within_the_picture(
    frame: Frame, shape: tuple[int, list[int]], pairs: list[tuple[int, int]]
) -> None:
    """A path begins at one end and ends at the other; where it bends, it stays inside."""
    layout = arrange(tree_of(shape), frame)
    for source, target in pairs:
        spots = [layout.spots[place % len(layout.spots)] for place in (source, target)]
        path = layout.path(source % len(layout.spots), target % len(layout.spots))
        drawn = [float(text) for text in re.findall(r"-?[\d.]+", path)]
        ends = sorted([drawn[:2], drawn[-2:]])
        assert ends == sorted([round(spot.x, 1), round(spot.y, 1)] for spot in spots)
        if "Q" in path:
            assert abs(0.25 * drawn[1] + 0.5 * drawn[3] + 0.25 * drawn[5]) <= layout.height / 2


@pytest.fixture(scope="module")
def service() -> Iterator[Peer]:
    """A peer that answers as the explainer does."""
    with peer() as answering:
        yield answering


def run(service: Peer | str, output: Path | str, *more: str) -> int:
    """The command's exit status."""
    url = service if isinstance(service, str) else service.url
    return main(["new-portal.example", "--explainer", url, "-o", str(output), *more])


def test_a_report_is_a_file(service: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command asks once, writes the page, and prints where it is and the summary."""
    service.explains(typical())
    service.asked.clear()
    assert run(service, tmp_path / "report.html") == 0
    assert (tmp_path / "report.html").read_text() == page(typical())
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "report.html"), typical()["summary"]]
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]
    [(path, headers, body)] = service.asked
    assert path == "/v1/models/dns-risk:explain"
    assert headers["x-request-timeout-ms"] == "10000"
    parameters = {"method": "shap", "graph": True}
    assert body == {"instances": [{"domain": "new-portal.example"}], "parameters": parameters}


def test_everything_that_is_asked_for_is_sent(service: Peer, tmp_path: Path) -> None:
    """Answers, method, seed and timeout reach the explainer."""
    service.explains(by_rule())
    options = ("--answers", "A 192.0.2.1", "--method", "anchor", "--seed", "7", "--timeout", "2.5")
    assert run(service, tmp_path / "report.html", *options) == 0
    _, headers, body = service.asked[-1]
    assert body["instances"] == [{"domain": "new-portal.example", "answers": "A 192.0.2.1"}]
    assert body["parameters"] == {"method": "anchor", "graph": True, "seed": 7}
    assert headers["x-request-timeout-ms"] == "2500"


def test_a_report_to_standard_output(service: Peer) -> None:
    """With -o - the page is all that the command prints."""
    service.explains(lone())
    command = [sys.executable, "-m", "explainer.report", "a.test", "--explainer", service.url, "-o", "-"]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    assert done.stdout == page(lone()).encode()
    assert done.stderr == b""


REFUSALS = [
    (
        400,
        b'{"error": "instances[0].domain: not\\n a domain name"}',
        ": 400 Bad Request: instances[0].domain: not a",
    ),
    (504, b'{"error": "the deadline passed"}', ": 504 Gateway Timeout: the deadline passed"),
    (502, b"<html>proxy</html>", ": 502 Bad Gateway: <html>proxy</html>"),
    (500, b"", ": 500 Internal Server Error: no reason given"),
    (200, b"<html>", ": unexpected answer: expected explanations in a JSON object"),
    (200, b"[" * 100_000, ": unexpected answer: expected explanations in a JSON object"),
    (200, b'{"explanations": []}', ": unexpected answer: explanations: expected a list of one object"),
    (200, b'{"explanations": [{"method": "shap"}]}', ": unexpected answer: shap.domain: field required"),
]


@pytest.mark.parametrize(("status", "content", "message"), REFUSALS)
def test_refusals_are_one_line(
    service: Peer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    status: int,
    content: bytes,
    message: str,
) -> None:
    """Who refused, with which status and why; the report of before stays, and no other file is left."""
    service.status, service.content = status, content
    (tmp_path / "report.html").write_text("of before")
    assert run(service, tmp_path / "report.html") == 1
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith(service.url + message)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report.html", "of before")]


def test_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody listens the command says so."""
    [port] = free_ports(1)
    assert run(f"http://127.0.0.1:{port}", tmp_path / "report.html") == 1
    assert re.fullmatch(rf"http://127.0.0.1:{port}: no answer: Connection refused\n", capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_nobody_waits_for_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A service that accepts but never answers is given up soon after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run(url, tmp_path / "report.html", "--timeout", "0.01") == 1
    assert capsys.readouterr().err == f"{url}: no answer: timed out\n"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("missing/report.html", "No such file or directory"),
        (".", "expected a file's name"),
        ("x" * 300, "File name too long"),
    ],
)
def test_where_nothing_can_be_written(
    service: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, reason: str
) -> None:
    """An impossible output path is said with its reason, and leaves nothing behind."""
    service.explains(lone())
    assert run(service, tmp_path / output) == 1
    assert capsys.readouterr().err == f"{tmp_path / output}: {reason}\n"
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(service: Peer, tmp_path: Path) -> None:
    """Where the page cannot be written to its end, neither it nor a part of it stays."""
    service.explains(lone())
    command = [sys.executable, "-m", "explainer.report", "a.test", "--explainer", service.url, "-o"]
    limited = ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", *command, str(tmp_path / "report.html")]
    done = subprocess.run(limited, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path / 'report.html'}: File too large\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options", [("--explainer", "file:///etc/passwd"), ("--timeout", "nan"), ("--method", "lime")]
)
def test_impossible_options_are_refused(options: tuple[str, str]) -> None:
    """Before anything is asked, with the status of a wrong command."""
    with pytest.raises(SystemExit, match="2"):
        main(["a.test", "-o", "-", *options])
