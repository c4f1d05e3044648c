"""`python -m training gate` as CI runs it: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollout.gate_file import read_gate_file
from tests.training.reports import PATHS, estimate, figures, report, write_version
from training.__main__ import main
from training.evaluation.report import REPORT_JSON
from training.gate.policy import DEFAULT_POLICY


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    """A candidate and a baseline with equal figures and weights of their own."""
    candidate, baseline = tmp_path / "2", tmp_path / "1"
    write_version(candidate, "2", seed=2)
    write_version(baseline, "1", seed=1)
    return candidate, baseline


def gate(versions: tuple[Path, Path], *more: str) -> tuple[int, Path]:
    """The status, and where the verdict is kept."""
    output = versions[0].parent / "gate.json"
    return main(["gate", *map(str, versions), "--output", str(output), *more]), output


def test_an_equal_version_passes(versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, a table, and a file that names both versions' weights and the policy."""
    status, output = gate(versions)
    shown = capsys.readouterr().out
    assert status == 0, shown
    assert (
        "| names/strong auc | 0.9700 [0.9600, 0.9800] | 0.9700 [0.9600, 0.9800] | at least 0.937, " in shown
    )
    assert shown.rstrip().endswith("passed: version 2 against 1")
    kept = read_gate_file(output)
    weights = [json.loads((place / "config.json").read_text())["weights_sha256"] for place in versions]
    assert [kept.candidate.weights_sha256, kept.baseline.weights_sha256] == weights
    assert weights[0] != weights[1]
    assert kept.policy_sha256


def test_a_worse_version_fails_with_its_reasons(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1, each failing rule below the table, and a file that says no."""
    write_version(versions[0], "2", 2, report({"names/strong": figures(calibration_error=estimate(0.09))}))
    status, output = gate(versions)
    assert status == 1
    assert "- names/strong calibration_error: 0.0900 is more than 0.03" in capsys.readouterr().out
    assert not read_gate_file(output).passed


def test_what_cannot_be_judged_has_status_2_and_one_line(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves no verdict, not even that of the run before."""
    assert gate(versions)[0] == 0
    (versions[0] / REPORT_JSON).unlink()
    status, output = gate(versions)
    assert status == 2
    assert "run `make evaluate` first" in capsys.readouterr().err
    assert not output.exists()


def test_a_report_that_judges_nothing_is_refused(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """One of a sample, one with a figure that is no number, one without any figure."""
    write_version(versions[0], "2", 2, report(sampled=True))
    assert gate(versions)[0] == 2
    assert "of a sample" in capsys.readouterr().err
    path = versions[1] / REPORT_JSON
    path.write_text(path.read_text().replace("0.97,", "NaN,", 1))
    assert gate((versions[1], versions[1]))[0] == 2
    assert "finite number" in capsys.readouterr().err
    write_version(versions[0], "2", 2, report(dict.fromkeys(PATHS)))
    assert gate((versions[0], versions[0]))[0] == 2
    assert "figures: expected at least one" in capsys.readouterr().err


def test_a_report_of_other_weights_is_refused(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained again after its evaluation, a version has no report; nor does one with weights that were exchanged."""
    kept = (versions[0] / REPORT_JSON).read_bytes()
    write_version(versions[0], "2", seed=3)
    (versions[0] / REPORT_JSON).write_bytes(kept)
    assert gate(versions)[0] == 2
    assert "weights_sha256: expected" in capsys.readouterr().err
    write_version(versions[0], "2", seed=3)
    (versions[0] / "model.safetensors").write_bytes(b"others")
    assert gate(versions)[0] == 2
    assert "not the weights that config.json names" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [("{}", "created"), ("[", "Invalid JSON"), ('{"format": 2}', "created")],
)
def test_a_report_of_another_format_is_refused(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    """With the file and the place in it."""
    (versions[1] / REPORT_JSON).write_text(content)
    assert gate(versions)[0] == 2
    error = capsys.readouterr().err
    assert f"{versions[1] / REPORT_JSON}: " in error
    assert said in error
    assert error.count("\n") == 1


def test_a_policy_of_ones_own_is_used(versions: tuple[Path, Path], tmp_path: Path) -> None:
    """One that asks for more fails what the shipped one passes; one that is none has status 2."""
    policy = tmp_path / "own.toml"
    policy.write_text(DEFAULT_POLICY.read_text().replace("at_least = 0.937", "at_least = 0.99"))
    assert gate(versions, "--policy", str(policy))[0] == 1
    policy.write_text("nonsense")
    assert gate(versions, "--policy", str(policy))[0] == 2


def test_a_verdict_that_cannot_be_kept_has_status_2(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Since a rollout would not find it."""
    output = tmp_path / "none" / "gate.json"
    assert main(["gate", *map(str, versions), "--output", str(output)]) == 2
    assert f"{output}: No such file or directory" in capsys.readouterr().err
