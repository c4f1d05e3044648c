import json

import pytest

from tests.golden.cases import FILE, found

GOLDEN = json.loads(FILE.read_text())
NOW = found()


def test_golden_belongs_to_this_schema_and_model() -> None:
    """A new schema or new weights need new golden files: run `make golden` and look at the difference."""
    assert NOW["feature_schema"] == GOLDEN["feature_schema"]
    assert NOW["weights_sha256"] == GOLDEN["weights_sha256"]


@pytest.mark.parametrize("name", GOLDEN["names"])
def test_a_name_is_what_it_was(name: str) -> None:
    """Features, neighbours and score of a fixed name have not moved."""
    now, then = NOW["names"][name], GOLDEN["names"][name]
    assert now["neighbours"] == then["neighbours"]
    assert now["features"] == pytest.approx(then["features"], abs=1e-5)
    assert now["risk_score"] == pytest.approx(then["risk_score"], abs=1e-4)
    assert now["name_score"] == pytest.approx(then["name_score"], abs=1e-4)
