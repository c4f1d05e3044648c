import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transformer.graph_store import SnapshotBuilder, UnusableLine
from transformer.graph_store.importer import SHOWN_LINES, ImportReport, import_files
from transformer.graph_store.streaming_api_framing import CUT_OFF, UNKNOWN_END, Frames, record_of

BEGIN, ONGOING, END = {"cond": "begin"}, {"cond": "ongoing"}, {"cond": "succeeded"}
RECORD = {"rrname": "a.example.", "rrtype": "A", "rdata": ["11.0.2.1"], "time_first": 1, "time_last": 2}


def imported(tmp_path: Path, *frames: object) -> ImportReport:
    path = tmp_path / "answer.jsonl"
    path.write_text("".join(json.dumps(frame) + "\n" for frame in frames))
    return import_files([str(path)], SnapshotBuilder())


def test_records_in_frames_are_taken(tmp_path: Path) -> None:
    """Frames without a record count as nothing, whether records come with a condition or without."""
    report = imported(tmp_path, BEGIN, {"obj": RECORD}, ONGOING, {"obj": RECORD, "cond": "ongoing"}, END)
    assert (report.lines, report.used) == (2, 2)
    assert report.summary() == ["2 lines: 2 used"]


@pytest.mark.parametrize(
    ("end", "how"),
    [
        ({"cond": "limited", "msg": "Result limit reached"}, "limited"),
        ({"cond": "failed", "msg": "Result limit reached"}, "failed"),
        ({"cond": "exploded"}, UNKNOWN_END),
        ({"cond": 7}, UNKNOWN_END),
        ({"cond": ["limited"]}, UNKNOWN_END),
        (None, CUT_OFF),
    ],
)
def test_an_answer_that_may_lack_records_is_told(tmp_path: Path, end: object, how: str) -> None:
    """Its records are taken; how it ended, and what the server said, stand in the report."""
    report = imported(tmp_path, BEGIN, {"obj": RECORD}, *([end] if end else []))
    assert report.used == 1
    assert [line for line in report.summary() if line.startswith("1 answers ended ") and how in line]
    if isinstance(end, dict) and "msg" in end:
        assert "answer.jsonl:3" in report.shown_ends[0]
        assert "Result limit reached" in report.shown_ends[0]


def test_many_answers_in_one_file_are_followed_one_by_one(tmp_path: Path) -> None:
    """Each bad end counts, the first are shown, and one that another begins in was cut off."""
    answer = [BEGIN, {"obj": RECORD}]
    report = imported(tmp_path, *answer, END, *(answer * 20), {"cond": "limited"})
    assert report.bad_ends == {CUT_OFF: 19, "limited: there is more than was sent": 1}
    assert len(report.shown_ends) == SHOWN_LINES


@pytest.mark.parametrize("inside", ["text", 7, [RECORD], True])
def test_something_else_than_a_record_is_counted(tmp_path: Path, inside: object) -> None:
    """An `obj` that is no object is one unusable line."""
    with pytest.raises(UnusableLine):
        record_of({"obj": inside})
    assert imported(tmp_path, BEGIN, {"obj": inside}, END).unusable == {"obj is no JSON object": 1}


@given(
    st.lists(st.dictionaries(st.sampled_from(["cond", "obj", "msg"]), st.none() | st.text() | st.integers()))
)
def test_no_frames_raise_anything(frames: list[dict[str, object]]) -> None:
    """Any sequence of frames ends with words for each end that is not good."""
    followed = Frames()
    ends = [end for frame in frames for end in followed.follow(frame)] + list(followed.finish())
    assert len(ends) <= len(frames) + 1
