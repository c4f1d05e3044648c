from collections import Counter

from load_tests.bench.figures import Figures


def test_ratios_are_of_medians() -> None:
    """One slow repeat does not move a ratio."""
    figures = Figures()
    for ours, plain in ((100, 10), (1, 10), (90, 9)):
        figures.add("ours", ours)
        figures.add("plain", plain)
    assert figures.ratio("ours", "plain") == 9.0


def test_what_was_not_measured_has_no_ratio() -> None:
    """A missing figure, or one of nothing, gives no number rather than a wrong one."""
    figures = Figures({"ours": [1.0], "nothing": [0.0]})
    assert figures.ratio("ours", "plain") is None
    assert figures.ratio("plain", "ours") is None
    assert figures.ratio("ours", "nothing") is None
    assert figures.best("plain") is None
    assert figures.best("plain", "ours", "nothing") == 1.0


def test_failures_add_up_under_their_load() -> None:
    """What went wrong is kept with where it did, over all repeats."""
    figures = Figures()
    figures.fail("ours/grpc", Counter({"late": 2}))
    figures.fail("ours/grpc", Counter({"late": 3}))
    assert figures.failures == {"ours/grpc: late": 5}
