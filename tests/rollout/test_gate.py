"""What a rollout asks of the gate before it sets anything up."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollout.__main__ import main
from rollout.gate import admitted
from rollout.state import Phase
from rollout.target import Refused
from tests.rollout.conftest import World
from tests.rollout.gates import gate_file, written

URI = "s3://models/dns-risk/3"


def test_a_gate_that_says_yes_names_the_weights(tmp_path: Path) -> None:
    """They are compared when the canary serves them."""
    gate = gate_file()
    assert admitted(written(tmp_path, gate), URI, required=True) == gate.candidate


@pytest.mark.parametrize(
    ("passed", "uri", "said"),
    [
        (False, URI, "says no"),
        (True, "s3://models/dns-risk/4", "judged version 3, this is version 4"),
        (True, "s3://models/dns-risk/3/other", "this is version other"),
    ],
)
def test_no_rollout_begins_against_the_gate(tmp_path: Path, passed: bool, uri: str, said: str) -> None:
    """A no, or a yes to another version; the file is named."""
    path = written(tmp_path, gate_file(passed))
    with pytest.raises(Refused, match=said) as refused:
        admitted(path, uri, required=False)
    assert str(refused.value).startswith(f"{path}: ")


def test_a_gate_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    """Asked for by the option, or by the policy."""
    with pytest.raises(Refused, match="No such file"):
        admitted(tmp_path / "gate.json", URI, required=False)
    with pytest.raises(Refused, match="give --gate FILE"):
        admitted(None, URI, required=True)
    assert admitted(None, URI, required=False) is None


@pytest.mark.slow
def test_the_command_line_refuses_before_anything_is_set_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and one line for a no and for a missing file; a yes begins, and its record names the weights."""
    path = written(world.policy_file.parent, gate_file(passed=False))
    start = world.arguments("start", "--model-uri", URI, "--gate", str(path))
    before = world.api.get("InferenceService", "dns-risk-canary")
    assert main(start) == 2
    assert "the gate says no to version 3" in capsys.readouterr().err
    world.policy_file.write_text(world.policy_file.read_text() + "[gate]\nrequired = true\n")
    assert main(start[:-2]) == 2
    assert "give --gate FILE" in capsys.readouterr().err
    assert world.api.get("InferenceService", "dns-risk-canary") == before
    assert world.controller().state() is None
    written(path.parent, gate_file())
    assert main(start) == 0
    begun = world.controller().state()
    assert begun is not None
    assert begun.gate == gate_file().candidate


@pytest.mark.slow
def test_a_canary_of_other_weights_gets_no_traffic(world: World) -> None:
    """Though it is ready: its predictor says other weights than the gate has judged. The judged ones do get some."""
    path = written(world.policy_file.parent, gate_file())
    assert main(world.arguments("start", "--model-uri", URI, "--gate", str(path))) == 0
    world.set_ready("dns-risk")
    world.set_ready("dns-risk-canary")
    world.seen()
    waiting = world.controller().tick()
    assert waiting is not None
    assert (waiting.phase, world.weights()) == (Phase.PREPARING, [0, 0, 0])
    assert "the canary serves version 3 with unknown" in waiting.reason
    world.replace_canary(gate_file().candidate.weights_sha256)
    stepping = world.controller().tick()
    assert stepping is not None
    assert (stepping.phase, world.weights()) == (Phase.STEPPING, [50, 50, 50])
