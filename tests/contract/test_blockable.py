import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.blockable import (
    HOSTS_OTHERS,
    NO_NAME,
    NO_PUBLIC_SUFFIX,
    POLICY_NAMESPACE,
    PUBLIC_SUFFIX,
    REASONS,
    ROUTER_NAMES,
    SINGLE_LABEL,
    SPECIAL_USE,
    SPECIAL_USE_NAMES,
    WILDCARD_LABEL,
    is_local,
    why_never_blocked,
)
from contract.public_suffix import public_suffix, suffix_rules
from contract.shared_apexes import SHARED_APEXES

# The suffix list is read by the first example: that one is slow.
relaxed = settings(deadline=None)

labels = st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True)
prefixes = st.lists(labels, max_size=3).map(lambda chosen: "".join(f"{label}." for label in chosen))
suffixes = st.sampled_from(sorted(suffix_rules().exact))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        # The names of issue 13.
        ("*.duckdns.org", WILDCARD_LABEL),
        (r"\042.duckdns.org", WILDCARD_LABEL),
        ("webflow.io", PUBLIC_SUFFIX),
        ("no-ip.org", PUBLIC_SUFFIX),
        ("trycloudflare.com", PUBLIC_SUFFIX),
        ("duckdns.org", PUBLIC_SUFFIX),
        ("win-8f3k2l9qx1c", SINGLE_LABEL),
        ("brn30055c1a2b3c", SINGLE_LABEL),
        ("sep001122334455", SINGLE_LABEL),
        ("qwkzjfhxvbn", SINGLE_LABEL),
        ("3f2a9c1b7d4e", SINGLE_LABEL),
        ("brn30055c1a2b3c.local", SPECIAL_USE),
        ("brn30055c1a2b3c.lan", NO_PUBLIC_SUFFIX),
        ("brn30055c1a2b3c.home", SPECIAL_USE),
        ("brn30055c1a2b3c.internal", SPECIAL_USE),
        ("brn30055c1a2b3c.home.arpa", SPECIAL_USE),
        ("32.66.113.0.203.rpz-ip", POLICY_NAMESPACE),
        ("ns1.bulletproof.test.rpz-nsdname", POLICY_NAMESPACE),
        # Others of their kinds.
        ("a.*.example.co.uk", WILDCARD_LABEL),
        ("rpz-passthru", POLICY_NAMESPACE),
        ("login.example", SPECIAL_USE),
        ("www.example.com", SPECIAL_USE),
        ("kqzv6lmx.onion", SPECIAL_USE),
        ("name.alt", SPECIAL_USE),
        ("dc1.corp", SPECIAL_USE),
        ("4.3.2.1.in-addr.arpa", SPECIAL_USE),
        ("fritz.box", SPECIAL_USE),
        ("brw38b1dbaabbcc.fritz.box", SPECIAL_USE),
        ("www.routerlogin.net", SPECIAL_USE),
        ("nas.localdomain", NO_PUBLIC_SUFFIX),
        ("pc7.workgroup", NO_PUBLIC_SUFFIX),
        ("pi.hole", NO_PUBLIC_SUFFIX),
        ("co.uk", PUBLIC_SUFFIX),
        ("github.io", PUBLIC_SUFFIX),
        ("s3.amazonaws.com", PUBLIC_SUFFIX),
        ("xn--55qx5d.cn", PUBLIC_SUFFIX),
        ("x.ck", PUBLIC_SUFFIX),
        ("x.kawasaki.jp", PUBLIC_SUFFIX),
        ("kawasaki.jp", HOSTS_OTHERS),
        ("amazonaws.com", HOSTS_OTHERS),
        ("elb.amazonaws.com", HOSTS_OTHERS),
        ("cloudapp.azure.com", HOSTS_OTHERS),
        ("core.windows.net", HOSTS_OTHERS),
        ("wordpress.com", HOSTS_OTHERS),
        ("www.wordpress.com", HOSTS_OTHERS),
        ("www.duckdns.org", HOSTS_OTHERS),
        ("bit.ly", HOSTS_OTHERS),
        ("sendgrid.net", HOSTS_OTHERS),
        ("fastly.net", HOSTS_OTHERS),
        # No canonical text of a name.
        ("", NO_NAME),
        (".", NO_NAME),
        ("paypal-login-verify201.tk..", NO_NAME),
        ("a..b.tk", NO_NAME),
        ("Evil.tk", NO_NAME),
        ("evil.tk.", NO_NAME),
        (r"verif\121888.tk", NO_NAME),
        (r"a\300.tk", NO_NAME),
        ("a\\b.tk", NO_NAME),
        ("bücher.tk", NO_NAME),
        ("x" * 64 + ".tk", NO_NAME),
        ("a." * 126 + "tk", NO_NAME),
        # What may be blocked.
        ("paypal-login-verify201.tk", ""),
        ("verify-login.duckdns.org", ""),
        ("evil.wordpress.com", ""),
        ("a.b.verify.webflow.io", ""),
        ("www.co.uk", ""),
        ("www.ck", ""),
        ("city.kawasaki.jp", ""),
        ("a.xn--b.paypal-secure-login.xyz", ""),
        ("xn--80ak6aa92e.com", ""),
        (r"a\046b\000.evil.tk", ""),
        ("x" * 63 + ".tk", ""),
        (r"\255" * 63 + ".evil.tk", ""),
        ("rpz-ip.evil.tk", ""),
        ("a*.evil.tk", ""),
        ("example.evil.tk", ""),
        ("local.tk", ""),
    ],
)
def test_the_law(name: str, reason: str) -> None:
    """What nobody owns alone, what is no public name, and what a policy zone means otherwise is never blocked."""
    assert why_never_blocked(name) == reason


@relaxed
@given(prefixes, st.sampled_from(sorted(SPECIAL_USE_NAMES | ROUTER_NAMES)))
def test_special_names_are_local_with_all_below_them(prefix: str, name: str) -> None:
    """However deep, and whatever the list of suffixes says."""
    assert is_local(prefix + name)
    assert why_never_blocked(prefix + name) in {SINGLE_LABEL, SPECIAL_USE}


@relaxed
@given(suffixes)
def test_no_suffix_and_nothing_above_one_is_ever_blocked(suffix: str) -> None:
    """For every rule of the list, nor is the name that all below it share."""
    labels = suffix.split(".")
    for place in range(len(labels)):
        assert why_never_blocked(".".join(labels[place:]))


@relaxed
@given(suffixes, labels, st.sampled_from(["", "www.", "a.b."]))
def test_what_lies_below_a_suffix_may_be_blocked(suffix: str, label: str, prefix: str) -> None:
    """A registered name is never saved by what lies above it, unless that is special use."""
    name = f"{prefix}x{label}.{suffix}"
    if (
        not is_local(name)
        and public_suffix(name).name == suffix
        and why_never_blocked(f"x{label}.{suffix}") == ""
    ):
        assert why_never_blocked(name) == ""


@relaxed
@given(st.one_of(st.text(max_size=300), st.text("ab.*\\0421rpz-\u00fc", max_size=40)))
def test_any_text_has_a_reason_of_the_list_or_none(text: str) -> None:
    """No text whatever raises; what is local is never blocked."""
    reason = why_never_blocked(text)
    assert reason in ("", *REASONS)
    assert reason or not is_local(text)


@relaxed
@given(
    st.lists(st.binary(min_size=1, max_size=8), max_size=4),
    st.sampled_from(["evil.tk", "lan", "duckdns.org"]),
)
def test_any_octets_in_canonical_text_are_a_name(wire: list[bytes], above: str) -> None:
    """As a sidecar writes them: letters, digits, hyphens and underscores plain, all others as numbers."""
    written = [
        "".join(chr(o) if chr(o).encode().isalnum() or o in b"-_" else f"\\{o:03d}" for o in label.lower())
        for label in wire
    ]
    assert why_never_blocked(".".join([*written, above])) != NO_NAME


def test_apexes_by_hand_are_those_that_the_list_lacks() -> None:
    """Each is a name below a suffix, and no rule of the list says of it already that it is shared."""
    rules = suffix_rules()
    for name in SHARED_APEXES:
        assert public_suffix(name).name not in {"", name}
        assert name not in rules.wildcards
        assert not any(rule.endswith(f".{name}") for rule in rules.exact)
        assert why_never_blocked(name) == why_never_blocked(f"www.{name}") == HOSTS_OTHERS
        assert why_never_blocked(f"verify-login.{name}") in {"", HOSTS_OTHERS}
