import numpy as np

from training.service_names import service_names
from transformer.domain_name import parse_domain

BENIGN = ["example.org", "www.example.net", "shop.example.co.uk"]


def test_every_service_name_is_a_name_below_a_good_one() -> None:
    """All kinds parse, differ from each other, and stay under the registered domains they were given."""
    made = service_names(500, BENIGN, np.random.default_rng(1))
    parsed = [parse_domain(name) for name in made]
    assert len({name.name for name in parsed}) > 490
    assert {name.registered_domain for name in parsed} == {"example.org", "example.net", "example.co.uk"}
    assert all(name.label_start > 0 for name in parsed)


def test_the_seed_decides() -> None:
    """The same seed makes the same names, and without good names there is nothing to stand below."""
    assert service_names(50, BENIGN, np.random.default_rng(2)) == service_names(
        50, BENIGN, np.random.default_rng(2)
    )
    assert service_names(50, [], np.random.default_rng(2)) == []
