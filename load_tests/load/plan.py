"""Every request of a run before it starts: its moment, its protocol and its names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from load_tests.load.arrivals import arrivals
from load_tests.load.names import NamePool, fresh_answers, fresh_name
from load_tests.load.profile import Profile, Segment, Traffic

FRESH = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's requests.

    Shapes (N requests, D names of all of them):
        intended_s  float64 (N,)    moment from the start
        grpc        bool    (N,)    over gRPC, else REST
        answered    bool    (N,)    carries what the resolver saw
        offsets     int64   (N+1,)  names of request i are offsets[i]:offsets[i+1]
        places      int32   (D,)    place in the pool, or FRESH
    """

    intended_s: np.ndarray
    grpc: np.ndarray
    answered: np.ndarray
    offsets: np.ndarray
    places: np.ndarray
    pool: NamePool
    salt: str

    def __len__(self) -> int:
        return len(self.intended_s)

    def names(self, request: int) -> tuple[list[str], list[str] | None]:
        """The names of a request, and the answers beside them where it carries some."""
        numbers = range(self.offsets[request], self.offsets[request + 1])
        places = self.places[numbers.start : numbers.stop].tolist()
        texts = self.pool.texts
        names = [
            fresh_name(self.salt, number) if place == FRESH else texts[place]
            for number, place in zip(numbers, places, strict=True)
        ]
        if not self.answered[request]:
            return names, None
        seen = self.pool.answers
        answers = [
            fresh_answers(number) if place == FRESH else seen[place]
            for number, place in zip(numbers, places, strict=True)
        ]
        return names, answers


def plan_of(
    profile: Profile, segments: Sequence[Segment], pool: NamePool, salt: str, seed: int | None = None
) -> Plan:
    """The requests of a profile's traffic over some segments.

    Args:
        profile: arrivals, traffic, and the seed unless another is given.
        segments: rates over time; those of the profile, or a step of the search for the knee.
        pool: names to draw from.
        salt: keeps this run's fresh names apart from those of other runs.
        seed: of moments, protocols, sizes and names.
    """
    rng = np.random.default_rng(profile.seed if seed is None else seed)
    moments = arrivals(segments, profile.arrivals, rng)
    traffic, count = profile.traffic, len(moments)
    grpc = rng.random(count) < traffic.grpc_share
    answered = rng.random(count) < traffic.answers_share
    offsets = np.concatenate([[0], np.cumsum(_sizes(traffic, count, rng))])
    places = pool.draw(int(offsets[-1]), rng)
    places[rng.random(len(places)) < traffic.fresh_share] = FRESH
    return Plan(moments, grpc, answered, offsets, places, pool, salt)


def _sizes(traffic: Traffic, count: int, rng: np.random.Generator) -> np.ndarray:
    fewest, most = traffic.batch_names
    batches = rng.random(count) < traffic.batch_share
    return np.where(batches, rng.integers(fewest, most + 1, count), 1)
