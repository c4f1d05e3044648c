"""Versions to roll out, made from the shipped model: an equal one, and some that are worse each in its way."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from predictor.checkpoint import load, save

STABLE_URI = "s3://models/dns-risk/2"
# Added to the log-odds of malice: e^2 = 7 times the odds.
SHIFT = 2.0


@dataclass(frozen=True)
class Version:
    """One version and what is wrong with it.

    Fields:
        uri     storageUri that stands for its directory
        fault   what the predictor does worse, as tests.canary_demo.worse_predictor knows it; "" for none
        good    whether the rollout is to promote it
        codes   statuses by which it fails by itself
    """

    name: str
    uri: str
    version: str
    directory: Path
    fault: str = ""
    good: bool = False
    codes: frozenset[str] = frozenset()


def make_versions(shipped: Path, folder: Path) -> dict[str, Version]:
    """Write the directories of every version that is rolled out; the shipped one stays what it is."""
    failing = frozenset({"500", "StatusCode.INTERNAL"})
    return {
        "good": _made(shipped, folder, "good", good=True),
        "shifted": _made(shipped, folder, "shifted", shift=SHIFT),
        "slow": _made(shipped, folder, "slow", fault="slow"),
        "failing": _made(shipped, folder, "failing", fault="failing", codes=failing),
    }


def _made(
    shipped: Path,
    folder: Path,
    name: str,
    *,
    shift: float = 0.0,
    fault: str = "",
    good: bool = False,
    codes: frozenset[str] = frozenset(),
) -> Version:
    version = f"3-{name}"
    directory = folder / version
    model, config = load(shipped)
    # Row by row: names alone, names with evidence; column 1 is added to the log-odds.
    model.calibration.data[:, 1] += shift
    save(directory, model, config.model_copy(update={"version": version}))
    for beside in ("background.npz", "explainer.json"):
        if (shipped / beside).exists():
            shutil.copy(shipped / beside, directory / beside)
    return Version(name, f"s3://models/dns-risk/{version}", version, directory, fault, good, codes)
