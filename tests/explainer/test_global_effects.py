"""Global explanations of scores that are known functions of the columns."""

from __future__ import annotations

import numpy as np
import pytest

from contract.feature_scales import SCALES
from contract.feature_schema import LEXICAL_FEATURES
from explainer.global_effects import effects, importances
from explainer.global_plots import plot_effects, plot_importances
from explainer.name_table import COLUMNS

DIGITS = LEXICAL_FEATURES.index("label_digit_share")
LENGTH = LEXICAL_FEATURES.index("label_length")
SUFFIX_TEXT = COLUMNS.index("suffix_text")


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).random((400, len(COLUMNS)))


def test_what_decides_is_what_is_important(rows: np.ndarray) -> None:
    """Scores by digits and by whose suffix it is: exchanging these traits costs, all others cost nothing."""

    def predict(table: np.ndarray) -> np.ndarray:
        return 0.7 * table[:, DIGITS] + 0.3 * table[:, SUFFIX_TEXT]

    important = importances(predict, rows, predict(rows) > 0.5, seed=0)
    assert [each.trait for each in important[:2]] == ["digits", "suffix"]
    assert important[0].fall > important[1].fall > 0.05
    assert all(each.fall == 0 for each in important[2:])


def test_an_effect_is_the_slope_of_its_feature(rows: np.ndarray) -> None:
    """Of a linear score the effect is its line, centred, in the feature's own unit."""

    def predict(table: np.ndarray) -> np.ndarray:
        return 0.5 * table[:, LENGTH] + table[:, DIGITS]

    [effect] = effects(predict, rows, ["label_length"])
    slopes = np.diff(effect.effects) / np.diff(effect.values)
    np.testing.assert_allclose(slopes, 0.5 / SCALES["label_length"], atol=1e-9)
    assert min(effect.effects) < 0 < max(effect.effects)


def test_pictures_hold_their_words_and_are_the_same_each_time(rows: np.ndarray) -> None:
    """Text is text, so that it can be read and searched; equal figures give equal bytes."""
    important = importances(lambda table: table[:, DIGITS], rows, rows[:, DIGITS] > 0.5, seed=0)
    local = effects(lambda table: table[:, DIGITS], rows, ["label_digit_share", "label_length"])
    for picture in (lambda: plot_importances(important), lambda: plot_effects(local)):
        assert picture() == picture()
        assert "Date" not in picture()
    assert ">digits<" in plot_importances(important).replace(" ", "")
    assert "label digit share" in plot_effects(local)
