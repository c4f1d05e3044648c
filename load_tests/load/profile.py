"""A profile: what arrives when, and what the requests are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from load_tests.load.toml_file import Section, UnusableFile, first_problem, read_toml

PROFILES: Final = Path(__file__).parent / "profiles"

# Every arrival of a run is drawn before it starts, and its outcome kept.
MAX_REQUESTS: Final = 5_000_000

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1_000_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
BatchSize = Annotated[int, Field(ge=1, le=4096)]


class Segment(Section):
    """A stretch of time whose rate is constant, or changes evenly to `to_rate`; requests a second."""

    seconds: Seconds
    rate: Rate
    to_rate: Rate | None = None

    @property
    def end_rate(self) -> float:
        """The rate at the end."""
        return self.rate if self.to_rate is None else self.to_rate

    @property
    def requests(self) -> float:
        """Requests that are expected in it."""
        return (self.rate + self.end_rate) / 2 * self.seconds


class Traffic(Section):
    """What requests are made of, as shares."""

    grpc_share: Share
    fresh_share: Share
    """names that nobody asked for before, as generated ones"""
    answers_share: Share
    """requests that carry what the resolver just saw"""
    batch_share: Share
    """requests of many names; the others have one"""
    batch_names: tuple[BatchSize, BatchSize] = (2, 32)
    """fewest and most names of a batch, each size as likely"""
    zipf_exponent: Annotated[float, Field(gt=0, le=4)] | None = None
    """the k-th most frequent name is drawn in proportion to 1/k^exponent; unset: as often as in the log"""

    @model_validator(mode="after")
    def _ordered(self) -> Traffic:
        if self.batch_names[0] > self.batch_names[1]:
            raise ValueError(f"batch_names: fewest before most, got {list(self.batch_names)}")
        return self


class Knee(Section):
    """How the rate that the services keep up with is searched for."""

    start_rate: Annotated[float, Field(gt=0, le=1_000_000)]
    factor: Annotated[float, Field(gt=1, le=10)]
    max_rate: Annotated[float, Field(gt=0, le=1_000_000)]
    step_s: Seconds
    settle_s: Annotated[float, Field(ge=0, le=3600)]
    """seconds at the start of a step that are not counted"""
    follows: Annotated[float, Field(gt=0, lt=1)]
    """share of the offered rate that is answered well as long as goodput follows"""
    refinements: Annotated[int, Field(ge=0, le=10)]
    """steps between the last rate that was followed and the first that was not"""
    multiples: tuple[Annotated[float, Field(gt=0, le=100)], ...] = (1.0, 2.0, 3.0)
    """rates in knees at which goodput is measured in the end"""


class Profile(Section):
    """The whole file: `segments`, or `knee`."""

    title: str
    """what it is for, in one line"""
    arrivals: Literal["constant", "poisson"]
    timeout_ms: Annotated[int, Field(ge=1, le=60_000)]
    seed: Annotated[int, Field(ge=0)] = 0
    warmup_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """seconds at the start that are not judged"""
    cycles: Annotated[int, Field(ge=1, le=10_000)] = 1
    """times that the segments are gone through"""
    segments: tuple[Segment, ...] = ()
    knee: Knee | None = None
    traffic: Traffic

    @model_validator(mode="after")
    def _one_way(self) -> Profile:
        if bool(self.segments) == (self.knee is not None):
            raise ValueError("a profile has either segments or knee")
        if sum(segment.requests for segment in self.timeline) > MAX_REQUESTS:
            raise ValueError(f"more than {MAX_REQUESTS:,} requests in one run")
        if self.segments and self.warmup_s >= self.seconds:
            raise ValueError(f"warmup_s: {self.warmup_s:g} s leave nothing of {self.seconds:g} s to judge")
        return self

    @property
    def timeline(self) -> tuple[Segment, ...]:
        """All segments of a run in order."""
        return self.segments * self.cycles

    @property
    def seconds(self) -> float:
        """How long the timeline is."""
        return sum(segment.seconds for segment in self.timeline)


def read_profile(name: str, seconds: float | None = None, scale: float = 1.0) -> Profile:
    """A shipped profile by its name, or one by its path, stretched in time and rate.

    Args:
        name: `steady`, or the path of a TOML file.
        seconds: length of the run, to which the timeline is stretched; of a step where a knee is searched.
        scale: by which every rate is multiplied.

    Raises:
        UnusableFile: there is no such profile, or the file is no profile; says which key and why.
    """
    path = PROFILES / f"{name}.toml"
    if not path.exists():
        path = Path(name)
    if not path.is_file():
        raise UnusableFile(f"no profile {name}: there are {', '.join(profile_names())}, or give a file")
    profile = read_toml(path, Profile)
    if seconds is None and scale == 1.0:
        return profile
    try:
        return Profile.model_validate(stretched(profile, seconds, scale))
    except ValidationError as error:
        raise UnusableFile(f"{path}: {first_problem(error)}") from None


def stretched(profile: Profile, seconds: float | None, scale: float) -> dict[str, Any]:
    """The settings of a profile that takes so many seconds at so many times its rates."""
    settings = profile.model_dump()
    if profile.knee is not None:
        knee = settings["knee"]
        knee["start_rate"] *= scale
        if seconds is not None:
            knee["settle_s"] *= seconds / knee["step_s"]
            knee["step_s"] = seconds
        return settings
    longer = 1.0 if seconds is None else seconds / profile.seconds
    settings["warmup_s"] *= longer
    for segment in settings["segments"]:
        segment["seconds"] *= longer
        segment["rate"] *= scale
        if segment["to_rate"] is not None:
            segment["to_rate"] *= scale
    return settings


def profile_names() -> list[str]:
    """The shipped profiles."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))
