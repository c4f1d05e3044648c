import re
from dataclasses import replace

import numpy as np
import pytest

from training.checks import Finding, check_apart, check_classes, check_graph, check_rows, refuse, summary
from training.data import LabelledGraph, LabelledNames, UnusableData


def rows(*lines: str) -> LabelledNames:
    """Rows of: name, category's number, family, source, first seen, quality."""
    columns = list(zip(*(line.split() for line in lines), strict=True))
    return LabelledNames(
        list(columns[0]),
        np.array([int(number) for number in columns[1]]),
        *(np.array(["" if value == "-" else value for value in column]) for column in columns[2:]),
    )


FITTED = rows(
    "shop.example.com 0 benign top 2020-01-01 strong",
    "qwxz.top 1 murofet baderj-dga 2026-08-01 strong",
    "early.bad.net 2 loader maltrail 2026-01-10 strong",
)
JUDGED = rows(
    "other.org 0 benign top 2019-01-01 strong",
    "zzqp.top 1 banjori baderj-dga - strong",
    "late.worse.net 2 loader maltrail 2026-03-02 strong",
)


def found(findings: object) -> str:
    return "\n".join(str(finding) for finding in findings)  # type: ignore[attr-defined]


def test_rows_that_are_apart_are_fine() -> None:
    """Other domains, other generator families and earlier dates: nothing is found, whatever seeds say."""
    assert not list(check_apart(FITTED, JUDGED, "train", "test"))
    assert not list(check_rows(FITTED, "train"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("www.example.com 0 benign top 2020-01-01 strong", r"registered domain is on both sides: www\.example\.com \(row 2\)"),
        ("abcd.top 1 murofet baderj-dga - strong", r"generator family is on both sides: abcd\.top \(row 2\)"),
        ("new.net 2 x maltrail 2026-01-10 strong", r"train: seen after test begins: early\.bad\.net \(row 4\)"),
    ],
)  # fmt: skip
def test_leakage_is_found_with_its_rows(row: str, message: str) -> None:
    """A shared registered domain, a shared family, a row from the test's time: each is named with its row."""
    assert re.search(message, found(check_apart(FITTED, rows(row), "train", "test")))


def test_names_without_a_time_are_not_compared_by_it() -> None:
    """Where the judged rows are of all times, a later row to fit is no leak."""
    judged = rows("new.net 2 x maltrail 2026-01-10 strong")
    assert not list(check_apart(FITTED, judged, "train", "idn", dated=False))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.net 0 benign top 2020-13-01 strong", "first_seen is no date"),
        ("a.net 0 benign top 2020-01-01 good", "label_quality is none of"),
        ("a.net 1 - dga-list - strong", "a generated name without its family"),
    ],
)
def test_impossible_columns_are_found(row: str, message: str) -> None:
    """A date that is none, a quality that is none, a generated name of no family."""
    assert message in found(check_rows(rows(row), "train"))


def test_a_name_that_stands_twice_is_found() -> None:
    """The second row of a name is named."""
    twice = rows("a.net 0 benign top - strong", "a.net 2 x maltrail - strong")
    assert "a name stands twice: a.net (row 3)" in found(check_rows(twice, "train"))


def test_a_class_that_collapsed_is_found() -> None:
    """Of 200 rows one is phishing: too few to have been meant."""
    names = replace(
        rows(*(f"n{number}.net 0 benign top - strong" for number in range(200))),
        category=np.array([0] * 100 + [1] * 50 + [2] * 49 + [3]),
    )
    assert "phishing: 1" in found(check_classes(names, "train"))
    assert "dga" not in found(check_classes(names, "train"))


def test_splits_of_the_graph_share_no_registered_domain() -> None:
    """Two names of one registered domain in train and val, and one that a name file holds, are found."""
    graph = LabelledGraph(
        ["a.one.net", "b.one.net", "shop.example.com"],
        np.array([0, 1, 1]),
        np.array(["train", "val", "val"]),
        [],
    )
    text = found(check_graph(graph, FITTED, "train.csv", "graph.csv"))
    assert "in train and in another split: b.one.net (row 3)" in text
    assert "registered domain is in both: shop.example.com (row 4)" in text
    assert "expected benign and malicious rows in train: labels {0}" in text


def test_a_refusal_holds_every_finding_and_few_rows_of_each() -> None:
    """One message says all that is wrong; thousands of rows are counted, not listed."""
    many = Finding("too late", [f"n{number}" for number in range(2_000)])
    with pytest.raises(UnusableData, match=r"too late: n0, n1, n2, n3, n4 and 1,995 more\n  twice: x"):
        refuse([many, Finding("twice", ["x"])])
    refuse([])


def test_the_summary_counts_rows() -> None:
    """Rows by class, source and quality."""
    assert summary(FITTED)["class"] == {"benign": 1, "dga": 1, "malware": 1}
    assert summary(FITTED)["quality"] == {"benign strong": 1, "malicious strong": 2}
