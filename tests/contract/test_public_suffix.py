import tldextract
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.public_suffix import SUFFIX_LIST_VERSION, public_suffix

EXTRACT = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
SUFFIXES = ["com", "co.uk", "uk", "github.io", "xn--p1ai", "lan", "ck", "y.ck", "kawasaki.jp", "local.host"]

labels = st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True).filter(lambda label: label[:4] != "xn--")
names = st.builds(
    lambda left, suffix: ".".join([*left, suffix]),
    st.lists(labels, min_size=0, max_size=4),
    st.sampled_from(SUFFIXES),
)


# The suffix list is read by the first example: that one is slow.
@settings(deadline=None)
@given(names)
def test_suffixes_agree_with_tldextract(name: str) -> None:
    """The own lookup finds the suffixes that tldextract finds in the same list."""
    expected = EXTRACT.extract_str(name)
    found = public_suffix(name)
    assert found.name == expected.suffix
    assert found.private == expected.is_private


def test_the_suffix_list_is_dated() -> None:
    """The version says which list the registered domains come from."""
    assert SUFFIX_LIST_VERSION[:2] == "20"
