import numpy as np
import pytest

from training.evaluation.intervals import (
    FEWEST_ROWS,
    Resamples,
    Share,
    enough,
    figures_of,
    mean_of,
    measured,
    resampled,
)


def rows(count: int, copies: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Resamples]:
    """Labels, scores and resamples of so many registered domains, each with so many equal rows."""
    rng = np.random.default_rng(seed)
    malicious = rng.random(count) < 0.5
    scores = np.clip(rng.normal(0.4 + 0.2 * malicious, 0.2), 0, 1)
    groups = [f"{place}.example" for place in range(count) for _ in range(copies)]
    return malicious.repeat(copies), scores.repeat(copies), resampled(groups)


def test_names_of_one_registered_domain_stay_together() -> None:
    """They have the same weight in every resample, and each resample draws as many domains as there are."""
    resamples = resampled(["a.example", "b.example", "a.example", "c.example"], count=50)
    _, *drawn = resamples.weights(np.arange(4))
    assert len(drawn) == 50
    assert all(weights[0] == weights[2] for weights in drawn)
    assert all(weights[0] + weights[1] + weights[3] == 3 for weights in drawn)
    assert len({tuple(weights) for weights in drawn}) > 1


def test_the_same_seed_draws_the_same() -> None:
    """Two runs give the same intervals; another seed gives others."""
    groups = [f"{place}.example" for place in range(100)]
    first, again, other = (resampled(groups, count=5, seed=seed).counts for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_interval_of_a_share_is_that_of_its_binomial() -> None:
    """For independent rows: 1.96 standard errors to either side, as the textbook has it."""
    malicious, scores, _ = rows(2000, 1)
    resamples = resampled([f"{place}.example" for place in range(2000)], count=400)
    marked = np.arange(2000) % 4 == 0
    everyone = np.ones(2000, bool)
    found = measured(malicious, scores, resamples, everyone, {"accuracy": Share(marked, everyone)})
    accuracy = figures_of(found, malicious).accuracy
    assert accuracy is not None
    assert accuracy.value == 0.25
    expected = 2 * 1.96 * np.sqrt(0.25 * 0.75 / 2000)
    assert accuracy.high - accuracy.low == pytest.approx(expected, rel=0.15)


def test_copies_of_a_domain_do_not_narrow_the_interval() -> None:
    """Twenty equal rows of each domain tell no more than one of each."""
    everyone = np.ones(4000, bool)
    malicious, scores, resamples = rows(200, 20)
    copied = figures_of(measured(malicious, scores, resamples, everyone), malicious).auc
    malicious, scores, resamples = rows(200, 1)
    single = figures_of(measured(malicious, scores, resamples, everyone[:200]), malicious).auc
    assert copied.value == single.value
    assert copied.high - copied.low == pytest.approx(single.high - single.low, rel=0.2)


def test_only_chosen_rows_count() -> None:
    """Figures of a part are those of the part alone."""
    malicious, scores, resamples = rows(300, 1)
    chosen = np.arange(300) < 100
    found = measured(malicious, scores, resamples, chosen)
    alone = Resamples(resamples.group[:100], resamples.counts)
    expected = measured(malicious[:100], scores[:100], alone, np.ones(100, bool))
    np.testing.assert_array_equal(found["auc"], expected["auc"])


def test_a_mean_is_taken_within_each_resample() -> None:
    """The mean of a group and its reverse is one half everywhere, whose interval has no width."""
    malicious, scores, resamples = rows(300, 1)
    everyone = np.ones(300, bool)
    both = [measured(malicious, values, resamples, everyone) for values in (scores, 1 - scores)]
    mean = figures_of(mean_of(both), malicious).auc
    assert (mean.value, mean.low, mean.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(("count", "speaks"), [(FEWEST_ROWS - 1, False), (FEWEST_ROWS, True)])
def test_too_few_rows_of_a_class_have_no_figure(count: int, speaks: bool) -> None:
    """An interval over a handful of rows would look certain."""
    malicious = np.arange(100) < count
    assert enough(malicious) is speaks
    assert enough(~malicious) is speaks
