from array import array
from collections import Counter

from load_tests.generator.tally import Tally


def test_failures_are_never_left_out_of_the_line() -> None:
    """What went wrong is printed with how often, most frequent first."""
    tally = Tally(1.0, 1, 1, Counter({"rare": 1, "frequent": 7}), array("d", [0.001]))
    assert tally.describe().endswith("7 x frequent, 1 x rare")


def test_the_generators_lag_is_shown_where_it_was_measured() -> None:
    """An open loop says how late the generator itself was."""
    assert "own lag 2.00 ms" in Tally(1.0, lags_s=array("d", [0.002])).describe()
    assert "lag" not in Tally(1.0).describe()
