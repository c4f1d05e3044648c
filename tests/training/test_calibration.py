import numpy as np
import pytest

from training.calibration import operating_points, platt
from training.figures import expected_calibration_error


def test_platt_recovers_what_distorted_the_log_odds() -> None:
    """Log-odds that were stretched and moved are brought back, and then mean what they say."""
    rng = np.random.default_rng(3)
    true = rng.normal(0, 2, 20_000)
    malicious = rng.random(20_000) < 1 / (1 + np.exp(-true))
    scale, shift = platt(malicious, (true - 1.0) / 0.5, np.ones(20_000))
    assert scale == pytest.approx(0.5, abs=0.03)
    assert shift == pytest.approx(1.0, abs=0.05)
    risk = 1 / (1 + np.exp(-(scale * (true - 1.0) / 0.5 + shift)))
    assert expected_calibration_error(malicious, risk) < 0.02


def test_separable_rows_do_not_push_the_scale_to_infinity() -> None:
    """With no row on the wrong side, probabilities stay short of certainty."""
    malicious = np.arange(100) >= 50
    scale, _ = platt(malicious, np.where(malicious, 1.0, -1.0), np.ones(100))
    assert 0 < scale < 10


def test_blocking_asks_for_more_than_monitoring() -> None:
    """The operating points are ordered, and keep their false-positive rates."""
    rng = np.random.default_rng(4)
    malicious = rng.random(50_000) < 0.5
    risk = np.clip(rng.normal(0.3 + 0.4 * malicious, 0.15), 0, 1)
    points = operating_points(malicious, risk)
    assert points.monitor < points.block
    assert (risk[~malicious] >= points.monitor).mean() <= 0.01
    assert (risk[~malicious] >= points.block).mean() <= 0.001
