"""Outcomes made by hand, for tests of what is said of them."""

from __future__ import annotations

from load_tests.load.outcomes import Collector, Outcomes


def outcomes(
    *codes: str, latency_s: float = 0.01, every_s: float = 0.1, lag_s: float = 0.0, version: str = "1"
) -> Outcomes:
    """One request for each code, one after the other, alternately over REST and gRPC."""
    collector = Collector()
    for number, code in enumerate(codes):
        due_s = number * every_s
        good = code in ("200", "OK")
        collector.add(
            due_s, due_s + lag_s, due_s + latency_s, grpc=code.isalpha(), names=2, code=code,
            version=version if good else "",
        )  # fmt: skip
    return collector.outcomes()
