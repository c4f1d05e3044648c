from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from contract.feature_schema import FEATURE_SCHEMA
from predictor.checkpoint import CONFIG_FILE, WEIGHTS_FILE, UnusableCheckpoint, load, load_config, save
from predictor.scorer import host_tensors
from tests.checkpoints import configuration, random_model, write_checkpoint
from tests.graphs import random_graphs


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A good version that a test may damage."""
    write_checkpoint(tmp_path)
    return tmp_path


def test_a_version_reads_back_as_it_was_saved(version: Path) -> None:
    """Weights come back exactly, but for the n-gram table's rounding to bytes; scores barely move."""
    saved, (model, config) = random_model(), load(version)
    table = "lexical.names.table.weight"
    for name, tensor in saved.state_dict().items():
        # Half a step of the row's scale, and the scale's own rounding.
        step = float(tensor.abs().max()) / 127 if name == table else 0.0
        torch.testing.assert_close(model.state_dict()[name], tensor, atol=0.52 * step, rtol=0)
    assert config == load_config(version)
    graphs = host_tensors(random_graphs(np.random.default_rng(2), 30))
    torch.testing.assert_close(model.scores(graphs), saved.scores(graphs), atol=1e-3, rtol=0)


def test_saving_again_changes_no_byte(version: Path, tmp_path: Path) -> None:
    """What was loaded is saved as the same files."""
    model, config = load(version)
    again = save(tmp_path / "again", model, config)
    assert again == config
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        assert (tmp_path / "again" / name).read_bytes() == (version / name).read_bytes()


def test_the_table_is_stored_in_bytes(version: Path) -> None:
    """The n-gram table, nearly all of a checkpoint, takes one byte an entry and two a row; the rest stays exact."""
    stored = load_file(version / WEIGHTS_FILE)
    table = stored["lexical.names.table.weight"]
    assert table.dtype == torch.int8
    assert stored["lexical.names.table.weight.row_scale"].shape == (len(table), 1)
    others = {name: tensor for name, tensor in stored.items() if "names.table" not in name}
    assert {tensor.dtype for tensor in others.values()} == {torch.float32}


def test_a_checkpoint_in_half_precision_still_loads(version: Path) -> None:
    """A version that an earlier release stored, its table in half precision, is read as before."""
    saved = random_model().state_dict()
    stored = {
        name: (tensor.half() if tensor.numel() >= 100_000 else tensor) for name, tensor in saved.items()
    }
    save_file(stored, version / WEIGHTS_FILE)
    config = json.loads((version / CONFIG_FILE).read_text())
    config["weights_sha256"] = hashlib.sha256((version / WEIGHTS_FILE).read_bytes()).hexdigest()
    (version / CONFIG_FILE).write_text(json.dumps(config))
    model, _ = load(version)
    table = "lexical.names.table.weight"
    torch.testing.assert_close(model.state_dict()[table], saved[table].half().float(), atol=0, rtol=0)


def test_scales_of_another_table_are_refused(version: Path) -> None:
    """Row scales that do not fit their table are a checkpoint that cannot be used, not wrong scores."""
    stored = load_file(version / WEIGHTS_FILE)
    scales = "lexical.names.table.weight.row_scale"
    save_file(stored | {scales: stored[scales][1:].clone()}, version / WEIGHTS_FILE)
    config = json.loads((version / CONFIG_FILE).read_text())
    config["weights_sha256"] = hashlib.sha256((version / WEIGHTS_FILE).read_bytes()).hexdigest()
    (version / CONFIG_FILE).write_text(json.dumps(config))
    with pytest.raises(UnusableCheckpoint, match="no scales of a table's rows"):
        load(version)


def test_a_loaded_model_is_ready_to_score(version: Path) -> None:
    """Dropout is off, and everything computes in single precision."""
    model, _ = load(version)
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_the_configuration_holds_the_weights_hash(tmp_path: Path) -> None:
    """`save` fills in the hash, whatever it was given."""
    sealed = save(tmp_path, random_model(), configuration())
    assert len(sealed.weights_sha256) == 64
    assert load_config(tmp_path).weights_sha256 == sealed.weights_sha256


def _edited(directory: Path, change: Callable[[dict], object]) -> None:
    path = directory / CONFIG_FILE
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda config: config.update(format=2), "format: "),
        (lambda config: config.update(colour="red"), "colour: "),
        (lambda config: config.pop("metrics"), "metrics: "),
        (lambda config: config.update(version="a/b"), "version: "),
        (lambda config: config["operating_points"].update(block=1.5), "operating_points.block: "),
        (lambda config: config["architecture"].update(evidence_layers=9), "architecture.evidence_layers: "),
        (
            lambda config: config.update(feature_schema="f" * 16),
            f"{'f' * 16}, this build computes {FEATURE_SCHEMA}",
        ),
        (lambda config: config.update(weights_sha256="0" * 64), "not the weights that config.json names"),
        (lambda config: config["architecture"].update(lexical_width=32), "do not fit the architecture"),
        (lambda config: config["architecture"].update(relation_groups={}), "do not fit the architecture"),
        (
            lambda config: config["architecture"].update(evidence_features=["x"]),
            "do not fit the architecture",
        ),
        (lambda config: config["architecture"].update(features=3), "do not fit the architecture"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    version: Path, change: Callable[[dict], object], said: str
) -> None:
    """Every entry that cannot be served is one line that names it."""
    _edited(version, change)
    with pytest.raises(UnusableCheckpoint) as refused:
        load(version)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
@pytest.mark.parametrize("damage", ["missing", "cut", "empty", "directory"])
def test_damaged_files_are_refused(version: Path, name: str, damage: str) -> None:
    """A missing, cut or replaced file is one line that names it."""
    path = version / name
    content = path.read_bytes()
    path.unlink()
    if damage == "directory":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    with pytest.raises(UnusableCheckpoint) as refused:
        load(version)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
