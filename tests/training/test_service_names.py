import numpy as np

from training.service_names import NETWORKS, network_names, service_names
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


def test_every_network_name_is_a_host_of_a_network() -> None:
    """All parse, stand below a network's suffix, and are as many as were asked for."""
    made = network_names(500, np.random.default_rng(3))
    assert len(set(made)) > 490
    for name in made:
        assert parse_domain(name).name == name
        assert name.endswith(tuple(f".{network}" for network in NETWORKS))
