"""What explanations compare with, as files of a model version: JSON beside an npz of arrays, never pickle.

The background is a set of made-up names as likely as those the model was trained on, with the features that
the transformer computes for them. `reference` is one of them that is unremarkable: the name that stands in
where a trait is taken away. Training writes these files; they belong to one model version.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.errors import InvalidTensors
from contract.feature_schema import FEATURE_SCHEMA
from contract.graph_checks import from_tensors
from contract.graphs import GRAPH_INPUTS, DomainGraphs
from contract.tensors import TensorSpec
from explainer.perturbation import NameSet

CONFIG_FILE: Final = "explainer.json"
BACKGROUND_FILE: Final = "background.npz"
MODEL_CONFIG_FILE: Final = "config.json"
# Where the version's global report lies.
GLOBAL_FOLDER: Final = "global"

_REMEDY: Final = "make both again with `python -m training background`"


class UnusableBackground(Exception):
    """The explainer's files cannot be used; the message is one line that says what to do."""


class BackgroundConfig(BaseModel):
    """What the background belongs to and how it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    format: Literal[1] = 1
    model_version: str
    feature_schema: str
    weights_sha256: str
    background_sha256: str = ""
    reference: Annotated[int, Field(ge=0)]
    reference_score: float
    seed: int


@dataclass(frozen=True)
class Background:
    """The background names, and what is known of them."""

    config: BackgroundConfig
    names: NameSet


def save_background(directory: Path, graphs: DomainGraphs, config: BackgroundConfig) -> BackgroundConfig:
    """Write the names, then the configuration with their hash, which is returned."""
    packed = _packed(graphs)
    (directory / BACKGROUND_FILE).write_bytes(packed)
    sealed = config.model_copy(update={"background_sha256": hashlib.sha256(packed).hexdigest()})
    (directory / CONFIG_FILE).write_text(sealed.model_dump_json(indent=2) + "\n")
    return sealed


def _packed(graphs: DomainGraphs) -> bytes:
    # As np.savez_compressed, but without the clock in its file headers: same names, same bytes.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in graphs.tensors().items():
            entry = io.BytesIO()
            np.save(entry, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.getvalue())
    return buffer.getvalue()


def load_background(directory: Path) -> Background:
    """Read and check the files of a model version.

    Raises:
        UnusableBackground: missing or damaged files, features of another schema, or another model's.
    """
    config = _read_config(directory / CONFIG_FILE)
    _check_versions(directory, config)
    graphs = _read_graphs(directory / BACKGROUND_FILE, config.background_sha256)
    if config.reference >= graphs.graph_count:
        raise UnusableBackground(
            f"{directory / CONFIG_FILE}: reference: expected a row below {graphs.graph_count}, "
            f"got {config.reference}; {_REMEDY}"
        )
    return Background(config, NameSet.of_targets(graphs))


def _read_config(path: Path) -> BackgroundConfig:
    try:
        return BackgroundConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UnusableBackground(
            f"{path}: {error.strerror}: give a model version's directory with --model_dir "
            f"or DNS_RISK_MODEL_DIR; {_REMEDY}"
        ) from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "file"
        raise UnusableBackground(f"{path}: {place}: {problem['msg']}; {_REMEDY}") from None


def _check_versions(directory: Path, config: BackgroundConfig) -> None:
    if config.feature_schema != FEATURE_SCHEMA:
        raise UnusableBackground(
            f"{directory / CONFIG_FILE}: made for feature schema {config.feature_schema}, "
            f"this build explains {FEATURE_SCHEMA}; {_REMEDY}"
        )
    model = _model_config(directory / MODEL_CONFIG_FILE)
    for key, ours in (("version", config.model_version), ("weights_sha256", config.weights_sha256)):
        if model.get(key) != ours:
            raise UnusableBackground(
                f"{directory / CONFIG_FILE}: made for the model of {key} {ours}, "
                f"{MODEL_CONFIG_FILE} beside it says {model.get(key)}; {_REMEDY}"
            )


def _model_config(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UnusableBackground(
            f"{path}: {error}: expected the configuration of the model version"
        ) from None
    return document if isinstance(document, dict) else {}


def _read_graphs(path: Path, sha256: str) -> DomainGraphs:
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise UnusableBackground(f"{path}: {error.strerror}; {_REMEDY}") from None
    if hashlib.sha256(packed).hexdigest() != sha256:
        raise UnusableBackground(f"{path}: not the names that {CONFIG_FILE} was made with; copy both again")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return from_tensors({spec.name: _read_array(archive, spec) for spec in GRAPH_INPUTS})
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, InvalidTensors) as error:
        raise UnusableBackground(f"{path}: {error}; {_REMEDY}") from None


def _read_array(archive: zipfile.ZipFile, spec: TensorSpec) -> np.ndarray:
    array = np.load(io.BytesIO(archive.read(f"{spec.name}.npy")), allow_pickle=False)
    if array.dtype != spec.dtype or not spec.admits(array.shape):
        raise InvalidTensors(
            f"{spec.name}: expected {spec.dtype} of shape {list(spec.shape)}, "
            f"got {array.dtype} of shape {list(array.shape)}"
        )
    return array
