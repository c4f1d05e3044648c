"""Host names that machines make below good names: of caches, clouds, trackers and mail, which look generated.

Public lists hold few of them, resolvers see little else. Without them a model takes any random label for a
generator's, wherever it stands.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from training.draws import draw, pick

Rng = np.random.Generator

_ALPHANUMERIC: Final = string.ascii_lowercase + string.digits
_HEXADECIMAL: Final = "0123456789abcdef"
_REGIONS: Final = (
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-2",
    "fra",
    "iad",
    "sin",
)
_ROLES: Final = (
    "cdn",
    "edge",
    "e",
    "s",
    "img",
    "static",
    "media",
    "cache",
    "api",
    "lb",
    "vod",
    "t",
    "px",
    "mx",
)
# Networks whose hosts machines name, for customers of every kind: a name says nothing of who is behind it.
NETWORKS: Final = (
    *("cloudfront.net",) * 5,
    *("akamai.net", "akamaiedge.net", "akamaized.net", "akadns.net", "edgekey.net", "edgesuite.net") * 2,
    *("fastly.net", "map.fastly.net", "fastlylb.net"),
    *("kxcdn.com", "rsc.cdn77.org", "llnwd.net", "footprint.net"),
    *("us-east-1.elb.amazonaws.com", "eu-west-1.elb.amazonaws.com", "trafficmanager.net", "vo.msecnd.net"),
    *("1e100.net", "gvt1.com", "googlevideo.com", "nflxvideo.net", "fbcdn.net", "aaplimg.com"),
)


def network_names(count: int, rng: Rng) -> list[str]:
    """Host names of content networks.

    Args:
        count: how many.
        rng: decides everything.

    >>> network_names(2, np.random.default_rng(0))
    ['cache-lbcag.1e100.net', '80wtu7j3ya.api.vo.msecnd.net']
    """
    return [_network_name(pick(NETWORKS, rng), rng) for _ in range(count)]


def _network_name(network: str, rng: Rng) -> str:
    if network == "cloudfront.net":
        return f"d{draw(_ALPHANUMERIC, int(rng.choice([12, 13, 13, 13])), rng)}.{network}"
    return f"{pick(KINDS, rng)(rng)}.{network}"


def service_names(count: int, benign: Sequence[str], rng: Rng) -> list[str]:
    """Names below some benign names, as services make them.

    Args:
        count: how many.
        benign: names that lend what stands on the right.
        rng: decides everything.

    >>> service_names(2, ["example.org"], np.random.default_rng(0))
    ['a8440102-dae8-9fba-88e4-da06d80cbd21.example.org', '6-138-21-77.example.org']
    """
    below = [name for name in benign if len(name) < 120]
    return [f"{pick(KINDS, rng)(rng)}.{pick(below, rng)}" for _ in range(count)] if below else []


def _random(rng: Rng) -> str:
    return draw(_ALPHANUMERIC, int(rng.integers(6, 25)), rng)


def _hexadecimal(rng: Rng) -> str:
    return draw(_HEXADECIMAL, int(rng.choice([8, 12, 16, 20, 32])), rng)


def _two_labels(rng: Rng) -> str:
    return f"{draw(_ALPHANUMERIC, int(rng.integers(4, 14)), rng)}.{pick((*_ROLES, *_REGIONS), rng)}"


def _role(rng: Rng) -> str:
    role = f"{pick(_ROLES, rng)}-{draw(_ALPHANUMERIC, int(rng.integers(4, 10)), rng)}"
    return f"{role}.{pick(_REGIONS, rng)}" if rng.random() < 0.5 else role


def _universal_id(rng: Rng) -> str:
    """A UUID, as RFC 9562 writes it."""
    return "-".join(draw(_HEXADECIMAL, size, rng) for size in (8, 4, 4, 4, 12))


def _address(rng: Rng) -> str:
    return "-".join(str(octet) for octet in rng.integers(1, 255, 4))


KINDS: Final[Sequence[Callable[[Rng], str]]] = (
    _random,
    _random,
    _hexadecimal,
    _two_labels,
    _role,
    _universal_id,
    _address,
)
