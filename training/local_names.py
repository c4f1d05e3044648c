"""Names that never leave a network: every resolver sees them, and no public list of benign names holds them.

Without them, the only names under unlisted suffixes are those of one generator (.bazar), and a model learns
that a printer is a botnet. Suffixes: RFC 6761, 6762, 8375, ICANN's `internal`, and what people use instead.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from training.draws import pick

SUFFIXES: Final = (
    "local",
    "localdomain",
    "lan",
    "home",
    "corp",
    "internal",
    "intranet",
    "private",
    "office",
    "domain",
    "home.arpa",
    "localhost",
    "test",
    "example",
    "invalid",
    "workgroup",
    "box",
    "cluster.local",
    "svc.cluster.local",
    "ad.local",
    "corp.local",
    "net.lan",
)
HOSTS: Final = (
    "printer",
    "nas",
    "router",
    "gateway",
    "server",
    "mail",
    "www",
    "db",
    "web",
    "files",
    "backup",
    "proxy",
    "camera",
    "phone",
    "tv",
    "desktop",
    "laptop",
    "pc",
    "workstation",
    "dc",
    "ns",
    "dns",
    "ldap",
    "git",
    "build",
    "ci",
    "monitor",
    "grafana",
    "wiki",
    "intranet",
    "vpn",
    "wpad",
    "isatap",
    "localhost",
    "android",
    "iphone",
    "raspberrypi",
    "scanner",
    "switch",
    "firewall",
    "esxi",
    "vcenter",
    "sql",
    "exchange",
    "share",
    "print",
    "host",
    "node",
    "kube",
    "api",
    "app",
    "dev",
    "staging",
    "test",
)
SERVICES: Final = (
    "_ldap._tcp",
    "_kerberos._udp",
    "_ipp._tcp",
    "_http._tcp",
    "_sip._udp",
    "_workstation._tcp",
    "_printer._tcp",
    "_smb._tcp",
    "_airplay._tcp",
    "_googlecast._tcp",
    "_services._dns-sd._udp",
    "lb._dns-sd._udp",
    "_ldap._tcp.dc._msdcs",
)


def local_names(count: int, public: list[str], rng: np.random.Generator) -> list[str]:
    """Host, service, search-list and reverse names, as a resolver inside a network is asked for.

    Args:
        count: how many.
        public: benign public names, to which a search list appends a local suffix.
        rng: decides everything.

    >>> len(local_names(5, ["www.example.org"], np.random.default_rng(0)))
    5
    """
    kinds = (_host, _single, _service, _searched, _reverse_ipv4, _reverse_ipv6)
    chosen = rng.choice(len(kinds), count, p=(0.35, 0.2, 0.1, 0.2, 0.1, 0.05))
    return [kinds[kind](public, rng) for kind in chosen]


def _single(_public: list[str], rng: np.random.Generator) -> str:
    numbered = ("", "", f"{rng.integers(1, 30)}", f"-{rng.integers(1, 300):03d}", f"-{pick(HOSTS, rng)}")
    return pick(HOSTS, rng) + pick(numbered, rng)


def _host(public: list[str], rng: np.random.Generator) -> str:
    site = f".{pick(HOSTS, rng)}" if rng.random() < 0.2 else ""
    return f"{_single(public, rng)}{site}.{pick(SUFFIXES, rng)}"


def _service(_public: list[str], rng: np.random.Generator) -> str:
    return f"{pick(SERVICES, rng)}.{pick(SUFFIXES, rng)}"


def _searched(public: list[str], rng: np.random.Generator) -> str:
    return f"{pick(public, rng)[:200]}.{pick(SUFFIXES, rng)}"


def _reverse_ipv4(_public: list[str], rng: np.random.Generator) -> str:
    return ".".join(str(octet) for octet in rng.integers(0, 256, 4)) + ".in-addr.arpa"


def _reverse_ipv6(_public: list[str], rng: np.random.Generator) -> str:
    return ".".join(f"{nibble:x}" for nibble in rng.integers(0, 16, 32)) + ".ip6.arpa"
