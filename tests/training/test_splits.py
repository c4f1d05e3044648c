import os
from pathlib import Path

import numpy as np
import pytest

from training.checks import check_apart
from training.data import TRAIN_NAMES, LabelledNames, read_names
from training.splits import split_names

SHARED = Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data"


def test_a_registered_domain_belongs_to_the_side_of_its_earliest_name() -> None:
    """A later name under a registered domain that is fitted neither validates nor is fitted while choosing."""
    names = LabelledNames(
        domains=["a.bad.example.com", "b.bad.example.com", "c.worse.net"],
        category=np.array([2, 2, 2]),
        family=np.array(["loader"] * 3),
        source=np.array(["maltrail"] * 3),
        first_seen=np.array(["2025-12-01", "2026-02-01", "2026-02-01"]),
        quality=np.array(["strong"] * 3),
    )
    split = split_names(names)
    assert split.fitted.tolist() == [True, False, False]
    assert split.validation.tolist() == [False, False, True]


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / TRAIN_NAMES).exists(), reason="needs the labelled data (DNS_RISK_SHARED)")
def test_validation_is_later_and_of_other_domains_and_families() -> None:
    """By the rules that tests are held to, nothing of the validation rows is known from those that are fitted."""
    names = read_names(SHARED / TRAIN_NAMES)
    split = split_names(names)
    assert not list(check_apart(names.at(split.fitted), names.at(split.validation), "fitted", "validation"))
    assert split.validation.sum() > 20_000
    assert (~split.fitted & ~split.validation).sum() < 100
