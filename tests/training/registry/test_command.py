"""`python -m training track` and `registry` as people use them, over a real MLflow store, read back by its client."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from inference_services.processes import free_ports
from predictor.checkpoint import load_config
from rollout.gate_file import GateFile
from tests.rollout.gates import gate_file, written
from tests.training.registry.conftest import Registry
from tests.training.registry.offline import SPOKE
from tests.training.reports import write_version
from training.registry.store import MODEL, open_client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def client(registry: Registry) -> Any:
    return open_client(registry.uri)


def gate_of(registry: Registry, version: str, *, passed: bool = True) -> GateFile:
    """A verdict on the weights of a tracked version."""
    return gate_file(passed, version, load_config(registry.versions / version).weights_sha256)


def test_a_run_holds_what_was_done_and_what_came_of_it(kept: Registry) -> None:
    """Parameters, metrics, headline figures and the lineage, in the run and in the version."""
    mlflow = client(kept)
    version = mlflow.get_model_version(MODEL, "1")
    run = mlflow.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "0"}
    assert run.data.metrics["names/strong/auc"] == 0.97
    assert run.data.metrics["graph/with-evidence/accuracy"] == 0.92
    assert run.data.metrics["cost/weights_bytes"] == 4_336_888
    config = load_config(kept.versions / "1")
    for tags in (run.data.tags, version.tags):
        assert tags["weights_sha256"] == config.weights_sha256
        assert tags["trained_on.random"] == config.trained_on["random"]
        assert tags["tested_on.idn_public_test.csv.gz"] == "b" * 64
        assert re.fullmatch(r"[0-9a-f]{64}", tags["recipe_sha256"])
        assert "parent" not in tags


def test_weights_and_reports_are_kept_and_data_is_not(kept: Registry) -> None:
    """Bytes as they were, folders too; neither the CSV nor the link to it. The source ends with the version."""
    mlflow = client(kept)
    version = mlflow.get_model_version(MODEL, "1")
    assert version.source.startswith("file://")
    assert version.source.endswith("/artifacts/1")
    source = Path(version.source.removeprefix("file://"))
    found = sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file())
    assert found == ["config.json", "global/effects.svg", "model.safetensors", "report.json"]
    for name in found:
        assert (source / name).read_bytes() == (kept.versions / "1" / name).read_bytes()


def test_the_same_weights_again_are_the_same_version(own: Registry) -> None:
    """Evaluated since, it gets its figures; nothing is registered twice, and it does not become its own parent."""
    mlflow = client(own)
    mlflow.set_registered_model_alias(MODEL, "stable", "2")
    run = mlflow.get_model_version(MODEL, "2").run_id
    assert "names/strong/auc" not in mlflow.get_run(run).data.metrics
    shutil.copy(own.versions / "report-of-2.json", own.versions / "2" / "report.json")
    assert own.track("2") == 0
    assert mlflow.get_run(run).data.metrics["names/strong/auc"] == 0.98
    found = mlflow.search_model_versions(f"name = '{MODEL}'")
    assert sorted(int(version.version) for version in found) == [1, 2]
    assert "parent" not in mlflow.get_model_version(MODEL, "2").tags


def test_the_stable_version_is_the_parent(own: Registry) -> None:
    """Of what is tracked next, unless another is named."""
    mlflow = client(own)
    mlflow.set_registered_model_alias(MODEL, "stable", "1")
    write_version(own.versions / "3", "3", seed=3)
    write_version(own.versions / "4", "4", seed=4)
    assert own.track("3") == 0
    assert own.track("4", "--parent", "3") == 0
    assert [mlflow.get_model_version(MODEL, number).tags["parent"] for number in ("3", "4")] == ["1", "3"]


def test_what_is_no_finished_version_is_refused(own: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    """Exchanged weights, a report of others, an unknown parent: status 2, one line, nothing registered."""
    shutil.copy(own.versions / "report-of-2.json", own.versions / "1" / "report.json")
    (own.versions / "other").mkdir()
    shutil.copy(own.versions / "2" / "config.json", own.versions / "other")
    shutil.copy(own.versions / "1" / "model.safetensors", own.versions / "other")
    for version, more, said in (
        ("1", (), "of other weights"),
        ("2", ("--parent", "9"), "no version '9': expected one of 2, 1"),
        ("none", (), "config.json"),
        ("other", (), "not the weights that config.json names"),
    ):
        assert own.track(version, *more) == 2
        refused = capsys.readouterr().err
        assert said in refused
        assert refused.count("\n") == 1
    assert len(client(own).search_model_versions(f"name = '{MODEL}'")) == 2


def test_nobody_outside_is_spoken_with(own: Registry) -> None:
    """Neither a name is looked up nor a connection made, by MLflow or anybody, when a version is tracked."""
    done = own.run("track", str(own.versions / "2"), module="tests.training.registry.offline")
    assert done.returncode == 0, done.stderr
    assert SPOKE not in done.stderr


def test_versions_are_listed_and_shown(kept: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first with its figures; one with all of its lineage, parameters and files."""
    listed = kept.run("registry", "list").stdout.splitlines()
    assert [line.split(" | ")[0] for line in listed[2:]] == ["| 2", "| 1"]
    assert listed[3].endswith("| 0.9700 | 0.7500 | 0.4500 | 0.0200 | 0.9700 |")
    assert kept.here("registry", "show", "1") == 0
    shown = capsys.readouterr().out
    for line in ("  tested_on.graph_nodes.csv.gz: " + "c" * 64, "  seed: 0", "  names/strong/auc: 0.9700"):
        assert line in shown
    assert re.search(r"  model.safetensors: [0-9,]+ bytes", shown)


def test_the_gates_yes_promotes(own: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The alias is set, and the version says by which verdict; the list shows it."""
    path = written(tmp_path, gate_of(own, "2"))
    done = own.run("registry", "promote", "2", "--to", "canary", "--gate", str(path))
    assert done.returncode == 0, done.stderr
    mlflow = client(own)
    assert mlflow.get_model_version_by_alias(MODEL, "canary").version == 2
    tags = mlflow.get_model_version(MODEL, "2").tags
    assert tags["canary.by"].startswith("gate: passed against model version 2,")
    assert tags["canary.by"].endswith("policy " + "ef" * 32)
    assert own.here("registry", "show", "canary") == 0
    assert capsys.readouterr().out.startswith("version: 2 (model version 2")


def test_without_the_gates_yes_nothing_is_promoted(
    own: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A no and other weights have status 1, no verdict at all status 2; the alias stays unset."""
    for gate, status, said in (
        (gate_of(own, "2", passed=False), 1, "the gate says no to version 2"),
        (gate_file(version="2"), 1, "the gate judged other weights of version 2"),
        (None, 2, "No such file"),
    ):
        path = written(tmp_path, gate) if gate else tmp_path / "none.json"
        assert own.here("registry", "promote", "2", "--to", "stable", "--gate", str(path)) == status
        assert said in capsys.readouterr().err
    assert not client(own).get_registered_model(MODEL).aliases


def test_force_is_written_down_and_a_version_is_taken_back(own: Registry) -> None:
    """The alias moves there and back; each version keeps why."""
    for version, reason in (("2", "the gate is away"), ("1", "taken back:  complaints")):
        assert own.here("registry", "promote", version, "--to", "stable", "--force", reason) == 0
    mlflow = client(own)
    assert mlflow.get_registered_model(MODEL).aliases == {"stable": 1}
    assert mlflow.get_model_version(MODEL, "2").tags["stable.by"] == "force: the gate is away"
    assert mlflow.get_model_version(MODEL, "1").tags["stable.by"] == "force: taken back: complaints"
    assert own.here("registry", "promote", "2", "--to", "stable", "--force", " ") == 1


def test_weights_that_were_exchanged_in_the_store_are_not_promoted(
    own: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are hashed again, since an alias is what people deploy by."""
    source = Path(client(own).get_model_version(MODEL, "1").source.removeprefix("file://"))
    (source / "model.safetensors").write_bytes(b"others")
    promote = ("registry", "promote", "1", "--to", "stable")
    assert own.here(*promote, "--gate", str(written(tmp_path, gate_of(own, "1")))) == 2
    assert "is not what was tracked" in capsys.readouterr().err
    (source / "model.safetensors").unlink()
    assert own.here(*promote, "--force", "why not") == 2
    assert "is gone from" in capsys.readouterr().err
    assert not client(own).get_registered_model(MODEL).aliases


def test_two_versions_are_compared(own: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Side by side at once; as a page with plots where both were evaluated."""
    output = tmp_path / "compare.html"
    compare = ("registry", "compare", "1", "2", "--output", str(output))
    assert own.here(*compare) == 0
    half = capsys.readouterr().out
    assert "| names/strong/auc | 0.9700 |  |  |" in half
    assert "no page" in half
    assert not output.exists()
    shutil.copy(own.versions / "report-of-2.json", own.versions / "2" / "report.json")
    assert own.track("2") == 0
    capsys.readouterr()
    assert own.here(*compare) == 0
    assert "| names/strong/auc | 0.9700 | 0.9800 | +0.0100 |" in capsys.readouterr().out
    page = output.read_text()
    assert page.count("<svg") == 1
    assert "0.9800 [0.9700, 0.9900]" in page


def test_where_there_is_no_registry_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, a file that is none, no such kind of place: status 2 and one line, and nothing is made."""
    (tmp_path / "junk.db").write_text("junk")
    for uri, said in {
        f"sqlite:///{tmp_path / 'none' / 'mlflow.db'}": "no registry yet",
        f"sqlite:///{tmp_path / 'junk.db'}": "file is not a database",
        f"file://{tmp_path}": "expected sqlite:///FILE",
        "ftp://user:secret@127.0.0.1": "ftp://127.0.0.1: expected",
    }.items():
        assert Registry(uri, tmp_path).here("registry", "list") == 2
        refused = capsys.readouterr().err
        assert said in refused
        assert "secret" not in refused
        assert refused.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_a_server_that_is_away_is_not_waited_for(tmp_path: Path) -> None:
    """Status 2 and one line without its password."""
    away = Registry(f"http://user:secret@127.0.0.1:{free_ports(1)[0]}", tmp_path).run("registry", "list")
    assert away.returncode == 2
    assert away.stderr.startswith("http://127.0.0.1:")
    assert away.stderr.count("\n") == 1
    assert "secret" not in away.stderr


def test_versions_are_found_by_number_or_alias_only(
    kept: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything else has status 2 and a line with what there is."""
    for which in ("9", "latest", "1.0", "\u0661", "9999999999999999999999"):
        assert kept.here("registry", "show", which) == 2
        assert f"no version {which!r}: expected one of 2, 1" in capsys.readouterr().err


def test_hashes_of_weights_are_of_the_kept_file(kept: Registry) -> None:
    """What the tag says is what lies in the store."""
    version = client(kept).get_model_version(MODEL, "2")
    weights = Path(version.source.removeprefix("file://")) / "model.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == version.tags["weights_sha256"]
