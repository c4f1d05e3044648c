import gzip
from pathlib import Path

import pytest

from training.data import UnusableData, private_address, read_names

HEADER = "domain,label,category,family,source,first_seen,split_reason,label_quality\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "names.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_rows_are_read_by_their_header(tmp_path: Path) -> None:
    """Category, quality and strength of a row come from its columns."""
    names = read_names(
        written(
            tmp_path, HEADER + "a.example,0,benign,benign,top,,train,weak\nb.example,1,dga,f,x,,t,strong\n"
        )
    )
    assert names.domains == ["a.example", "b.example"]
    assert names.malicious.tolist() == [False, True]
    assert names.strong.tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "a.example,0,nice,f,s,,t,strong\n", r"names.csv.gz:2: category 'nice' is none of"),
        ("domain,category\na.example,benign\n", r"names.csv.gz:2: no column 'family'"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The refusal names the row and what is wrong with it."""
    with pytest.raises(UnusableData, match=message):
        read_names(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """No such file is one message, not a traceback of gzip."""
    with pytest.raises(UnusableData, match=r"nowhere\.csv\.gz"):
        read_names(tmp_path / "nowhere.csv.gz")


def test_stand_in_addresses_are_distinct() -> None:
    """Every anonymous node has an address of its own."""
    assert len({private_address(node) for node in range(20_000)}) == 20_000
