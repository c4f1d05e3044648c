"""Whether a rollout may begin: the gate's verdict, asked before anything is set up."""

from __future__ import annotations

from pathlib import Path

from rollout.gate_file import Judged, UnusableGateFile, read_gate_file, refusal
from rollout.target import Refused


def admitted(path: Path | None, model_uri: str, *, required: bool) -> Judged | None:
    """The weights that the gate lets pass; None where no gate is asked for.

    Which weights lie behind a URI is not known yet: they are compared once the canary serves them, before it
    gets traffic.

    Raises:
        Refused: the file is missing, says no, or is of another version than the URI ends with.
    """
    if path is None:
        if required:
            raise Refused("the policy asks for a gate file: give --gate FILE, from `python -m training gate`")
        return None
    try:
        gate = read_gate_file(path)
    except UnusableGateFile as problem:
        raise Refused(str(problem)) from None
    refused = refusal(gate, version_in(model_uri))
    if refused:
        raise Refused(f"{path}: {refused}")
    return gate.candidate


def version_in(model_uri: str) -> str:
    """The version that a storageUri ends with.

    >>> version_in("s3://models/dns-risk/2"), version_in("pvc://models/dns-risk/2-good/")
    ('2', '2-good')
    """
    return model_uri.rstrip("/").rpartition("/")[2]
