import numpy as np

from training.local_names import local_names
from transformer.domain_name import parse_domain


def test_every_local_name_is_a_name() -> None:
    """Host, service, search-list and reverse names all parse, and come in variety."""
    made = local_names(500, ["www.example.org", "a.b.example.net"], np.random.default_rng(1))
    assert len({parse_domain(name).name for name in made}) > 300
    assert any(name.endswith(".in-addr.arpa") for name in made)
    assert any(name.startswith("_") for name in made)
    assert any("." not in name for name in made)


def test_local_names_stand_under_no_registered_suffix_that_is_abused() -> None:
    """A suffix that anybody can register under is not called local."""
    made = local_names(500, ["www.example.org"], np.random.default_rng(2))
    suffixes = {parse_domain(name).public_suffix for name in made}
    assert not suffixes & {"com", "net", "org", "site", "house", "xyz"}
