import hashlib
import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from contract.feature_schema import FEATURE_SCHEMA
from explainer.background import (
    BACKGROUND_FILE,
    CONFIG_FILE,
    MODEL_CONFIG_FILE,
    BackgroundConfig,
    UnusableBackground,
    load_background,
    save_background,
)
from tests.explainer.ego_graphs import lone
from tests.services import SHIPPED_MODEL

NAMES = ("kitchen.app", "www.x7-q2zkw.co.uk", "com")
CONFIG = BackgroundConfig(
    model_version="7",
    feature_schema=FEATURE_SCHEMA,
    weights_sha256="ab" * 32,
    reference=1,
    reference_score=0.125,
    seed=3,
)
Arrays = dict[str, np.ndarray]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model version with its background; of the model's own files there is all that is read."""
    described = {"version": CONFIG.model_version, "weights_sha256": CONFIG.weights_sha256}
    (tmp_path / MODEL_CONFIG_FILE).write_text(json.dumps(described))
    save_background(tmp_path, lone(*NAMES), CONFIG)
    return tmp_path


@dataclass(frozen=True)
class Trap:
    """Creates a file when it is unpickled."""

    path: Path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


def change(path: Path, **values: object) -> None:
    """Give fields of a JSON file other values."""
    path.write_text(json.dumps(json.loads(path.read_bytes()) | values))


def pack(directory: Path, packed: bytes) -> None:
    """Put other bytes in the place of the names, with a configuration that vouches for them."""
    (directory / BACKGROUND_FILE).write_bytes(packed)
    change(directory / CONFIG_FILE, background_sha256=hashlib.sha256(packed).hexdigest())


def repack(directory: Path, changed: Callable[[Arrays], object]) -> None:
    """Change the arrays, with a configuration that vouches for them."""
    with np.load(directory / BACKGROUND_FILE) as archive:
        arrays = dict(archive)
    changed(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    pack(directory, buffer.getvalue())


def refusal(directory: Path) -> str:
    """What is said of an unusable background."""
    with pytest.raises(UnusableBackground) as refused:
        load_background(directory)
    return str(refused.value)


def assert_refused(directory: Path, file: str, expected: str) -> None:
    """The refusal is one line: the file, the problem, the remedy."""
    message = refusal(directory)
    assert message.startswith(f"{directory / file}: ")
    assert re.search(expected, message), message
    assert "\n" not in message
    assert message.endswith("make both again with `python -m training background`")


def test_what_was_saved_is_loaded(model: Path) -> None:
    """Configuration, features and texts come back as they were, with the hash of the names, as saving said."""
    saved, loaded = save_background(model, lone(*NAMES), CONFIG), load_background(model)
    packed = (model / BACKGROUND_FILE).read_bytes()
    sealed = CONFIG.model_copy(update={"background_sha256": hashlib.sha256(packed).hexdigest()})
    assert saved == loaded.config == sealed
    graphs = lone(*NAMES)
    lexical = loaded.names.features.shape[1]
    assert loaded.names.features.tobytes() == graphs.node_features[:, :lexical].tobytes()
    assert loaded.names.parts == (
        (b"", b"kitchen", b"app"),
        (b"www", b"x7-q2zkw", b"co.uk"),
        (b"", b"", b"com"),
    )


def test_the_same_names_are_the_same_bytes(model: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Made again, both files are what they were: no clock in them."""
    again = tmp_path_factory.mktemp("again")
    save_background(again, lone(*NAMES), CONFIG)
    for name in (CONFIG_FILE, BACKGROUND_FILE):
        assert (again / name).read_bytes() == (model / name).read_bytes()
    archive = zipfile.ZipFile(io.BytesIO((again / BACKGROUND_FILE).read_bytes()))
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_shipped_background_can_be_used() -> None:
    """The model version in the repository has its background, and a reference within it."""
    background = load_background(SHIPPED_MODEL)
    assert background.config.reference < len(background.names.parts)
    subdomain, label, suffix = background.names[background.config.reference].parts[0]
    assert (subdomain, label.isalpha(), suffix.isalpha()) == (b"", True, True)


@pytest.mark.parametrize("file", [CONFIG_FILE, BACKGROUND_FILE])
def test_a_missing_file_is_named(model: Path, file: str) -> None:
    """Half a background is none."""
    (model / file).unlink()
    assert_refused(model, file, "No such file or directory")


def test_a_directory_without_files_is_told_how_to_be_given(tmp_path: Path) -> None:
    """Who points at the wrong place reads by which setting they did."""
    assert "--model_dir or DNS_RISK_MODEL_DIR" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_configuration_that_is_none(model: Path, content: bytes) -> None:
    """Damaged JSON is refused as a whole."""
    (model / CONFIG_FILE).write_bytes(content)
    assert_refused(model, CONFIG_FILE, ": file: ")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"format": 2}, "format: "),
        ({"reference": -1}, "reference: .*greater than or equal to 0"),
        ({"reference": "first"}, "reference: "),
        ({"surplus": 1}, "surplus: "),
        ({"seed": None}, "seed: "),
        (
            {"feature_schema": "0" * 16},
            f"made for feature schema 0{{16}}, this build explains {FEATURE_SCHEMA}",
        ),
        ({"reference": len(NAMES)}, "reference: expected a row below 3, got 3"),
        ({"model_version": "8"}, "version 8, config.json beside it says 7"),
        ({"weights_sha256": "cd" * 32}, f"weights_sha256 (cd){{32}}, config.json beside it says {'ab' * 32}"),
    ],
)
def test_a_configuration_that_does_not_fit(model: Path, values: dict[str, object], expected: str) -> None:
    """Another format, another schema, another model, or a reference that is no row: field and reason."""
    change(model / CONFIG_FILE, **values)
    assert_refused(model, CONFIG_FILE, expected)


def test_a_field_that_is_missing(model: Path) -> None:
    """Every field is needed to know what the names belong to."""
    fields = json.loads((model / CONFIG_FILE).read_bytes())
    del fields["weights_sha256"]
    (model / CONFIG_FILE).write_text(json.dumps(fields))
    assert_refused(model, CONFIG_FILE, "weights_sha256: Field required")


@pytest.mark.parametrize("key", ["version", "weights_sha256"])
def test_the_model_has_gone_on(model: Path, key: str) -> None:
    """A background beside other weights is refused, though its own files are whole."""
    change(model / MODEL_CONFIG_FILE, **{key: "9"})
    assert_refused(model, CONFIG_FILE, f"{key} .* config.json beside it says 9")


@pytest.mark.parametrize("content", [None, b"{", b"\xff"])
def test_a_model_that_cannot_be_read(model: Path, content: bytes | None) -> None:
    """Without the model's configuration nobody knows whose the background is."""
    (model / MODEL_CONFIG_FILE).unlink()
    if content is not None:
        (model / MODEL_CONFIG_FILE).write_bytes(content)
    message = refusal(model)
    assert message.startswith(f"{model / MODEL_CONFIG_FILE}: ")
    assert message.endswith("expected the configuration of the model version")


def test_a_model_configuration_of_another_kind(model: Path) -> None:
    """A document that is no object has neither version nor weights."""
    (model / MODEL_CONFIG_FILE).write_text("[]")
    assert_refused(model, CONFIG_FILE, "config.json beside it says None")


def test_names_that_were_tampered_with(model: Path) -> None:
    """One other bit, and the hash tells."""
    packed = bytearray((model / BACKGROUND_FILE).read_bytes())
    packed[len(packed) // 2] ^= 1
    (model / BACKGROUND_FILE).write_bytes(packed)
    message = refusal(model)
    assert message.startswith(f"{model / BACKGROUND_FILE}: not the names that {CONFIG_FILE} was made with")
    assert message.endswith("copy both again")


def test_pickled_objects_are_never_read(model: Path, tmp_path: Path) -> None:
    """An archive whose arrays would run code when they are read is refused, and the code does not run."""
    trap = tmp_path / "trap"
    repack(model, lambda arrays: arrays.update(node_type=np.array([Trap(trap)], object)))
    assert_refused(model, BACKGROUND_FILE, "allow_pickle")
    assert not trap.exists()
    pickle.loads(pickle.dumps(Trap(trap)))  # noqa: S301 - shows that the trap would have worked
    assert trap.exists()


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda arrays: arrays.pop("edge_type"), "edge_type"),
        (
            lambda arrays: arrays.update(node_type=arrays["node_type"][:-1]),
            "node_features: expected length 2",
        ),
        (lambda arrays: arrays["target_nodes"].fill(0), "target_nodes: expected values in"),
        (lambda arrays: arrays["node_features"].fill(np.nan), "node_features: expected finite values"),
    ],
)
def test_arrays_that_are_no_graphs(model: Path, damage: Callable[[Arrays], object], expected: str) -> None:
    """Arrays that are missing or do not fit one another are refused by name."""
    repack(model, damage)
    assert_refused(model, BACKGROUND_FILE, expected)


def an_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize("packed", [b"no archive", b"PK\x03\x04 cut off", b"", an_array()])
def test_a_file_that_is_no_archive(model: Path, packed: bytes) -> None:
    """Names that cannot be read are refused with what was wrong, whatever hash vouches for them."""
    pack(model, packed)
    assert_refused(model, BACKGROUND_FILE, ": .+; ")


@pytest.mark.parametrize(
    "damage",
    [
        lambda arrays: arrays.update(edge_index=np.zeros(0, np.int64)),
        lambda arrays: arrays.update(node_type=np.array(0)),
        lambda arrays: arrays.update(node_features=arrays["node_features"].astype(np.float64)),
        lambda arrays: arrays.update(node_features=arrays["node_features"][:, :5]),
    ],
)
def test_arrays_of_another_shape_or_type(model: Path, damage: Callable[[Arrays], object]) -> None:
    """Each array must be what the contract declares."""
    repack(model, damage)
    assert_refused(model, BACKGROUND_FILE, "expected (float32|int64) of shape")
