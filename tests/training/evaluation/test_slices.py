from tests.training.evaluation.made_up import names
from training.evaluation.slices import bases, slices

NAMES = names(
    [
        ("good.example", "benign", "benign", "top", "2020-01-01", "strong"),
        ("weak.example", "benign", "benign", "new", "2025-01-01", "weak"),
        ("k3v9.example", "dga", "tinba", "lists", "2031-05-01", "strong"),
        ("bad.example", "malware", "emotet", "trail", "2026-03-09", "strong"),
        ("login.example", "phishing", "phishing", "feed", "2026-04-01", "medium"),
        ("undated.example", "phishing", "phishing", "feed", "", "medium"),
    ]
)


def chosen(base: str) -> dict[str, list[int]]:
    return {path: rows.nonzero()[0].tolist() for path, rows in slices(NAMES, bases(NAMES)[base]).items()}


def test_strong_rows_leave_out_weak_benign_ones_only() -> None:
    """Malice of medium quality stays; all rows are all."""
    assert bases(NAMES)["names/strong"].tolist() == [True, False, True, True, True, True]
    assert bases(NAMES)["names/all"].all()


def test_every_part_stands_against_all_benign_rows_of_its_base() -> None:
    """Kind, source, month and family choose malice; a benign source chooses benign rows against all malice."""
    assert chosen("names/strong") == {
        "category/dga": [0, 2],
        "category/malware": [0, 3],
        "category/phishing": [0, 4, 5],
        "source/feed": [0, 4, 5],
        "source/lists": [0, 2],
        "source/trail": [0, 3],
        "month/2026-03": [0, 3],
        "month/2026-04": [0, 4],
        "family/tinba": [0, 2],
        "benign-source/new": [2, 3, 4, 5],
        "benign-source/top": [0, 2, 3, 4, 5],
    }
    assert chosen("names/all")["category/malware"] == [0, 1, 3]


def test_generated_names_have_no_month() -> None:
    """The date of a generated name is a seed, which may lie in the future."""
    assert not [path for path in chosen("names/all") if "2031" in path]


def test_some_rows_are_those_rows() -> None:
    """Each column is cut alike."""
    part = NAMES.at(NAMES.malicious.nonzero()[0][:2])
    assert part.domains == ["k3v9.example", "bad.example"]
    assert part.source.tolist() == ["lists", "trail"]
    assert part.first_seen.tolist() == ["2031-05-01", "2026-03-09"]
