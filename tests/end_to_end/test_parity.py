"""One featurizer: what the model is trained on is bit for bit what the transformer sends to be scored.

The predictor here is a peer in a process of its own that records the requests it gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from tritonclient.grpc import service_pb2

from contract.graphs import GRAPH_INPUTS, DomainGraphs, split
from contract.tensors import RISK_MODEL
from load_tests.waiting import poll
from tests.services import SAMPLE, import_passive_dns, scripted_predictor, transformer
from tests.serving.server_process import ServerProcess
from training.pools import featurized
from transformer.featurize import featurize
from transformer.graph_store import GraphStore, Snapshot

NAMES = [
    "root-servers.net",
    "a.root-servers.net",
    "A.ROOT-SERVERS.NET.",
    "never-seen.example",
    "deep.below.root-servers.net",
    "_dmarc.root-servers.net",
    "bücher.example",
    "com",
    "x" * 63 + ".example",
]
ANSWERS = ["", "", "A 198.41.0.4", "A 198.41.0.4, NS a.root-servers.net", "", "", "A 11.0.2.77", "", ""]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the peer puts the requests it gets."""
    return tmp_path_factory.mktemp("recorded")


@pytest.fixture(scope="module")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the sample in examples/, imported by the command that users run."""
    directory = tmp_path_factory.mktemp("graph-store")
    import_passive_dns(directory, SAMPLE)
    return directory


@pytest.fixture(scope="module")
def service(recorded: Path, sample_store: Path) -> Iterator[ServerProcess]:
    """A transformer whose predictor records."""
    with scripted_predictor(recorded) as peer, transformer(peer.grpc_port, sample_store) as process:
        yield process


def _served(
    service: ServerProcess, recorded: Path, names: list[str], answers: list[str] | None
) -> DomainGraphs:
    """The tensors that reach the predictor for a request over v2 JSON."""
    request_id = f"{len(list(recorded.glob('*.json')))} {len(names)}"
    columns = {"domain": names} | ({} if answers is None else {"answers": answers})
    inputs = [
        {"name": name, "datatype": "BYTES", "shape": [len(column)], "data": column}
        for name, column in columns.items()
    ]
    answer = httpx.post(
        f"{service.rest_url}/v2/models/{RISK_MODEL}/infer",
        json={"inputs": inputs, "id": request_id},
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    found: list[Path] = []
    poll(lambda: bool(found.extend(_told_of(recorded, request_id)) or found))
    message = service_pb2.ModelInferRequest.FromString(found[0].with_suffix(".request").read_bytes())
    specs = {spec.name: spec for spec in GRAPH_INPUTS}
    return DomainGraphs(
        **{
            tensor.name: np.frombuffer(raw, specs[tensor.name].dtype).reshape(tensor.shape)
            for tensor, raw in zip(message.inputs, message.raw_input_contents, strict=True)
        }
    )


def _told_of(recorded: Path, request_id: str) -> list[Path]:
    return [path for path in recorded.glob("*.json") if f'"{request_id}"' in path.read_text()]


def _assert_identical(one: DomainGraphs, other: DomainGraphs) -> None:
    for name, array in one.tensors().items():
        assert array.dtype == other.tensors()[name].dtype, name
        assert array.shape == other.tensors()[name].shape, name
        assert array.tobytes() == other.tensors()[name].tobytes(), name


@pytest.fixture(scope="module")
def snapshot(sample_store: Path) -> Snapshot:
    """The store that the transformer serves from, opened here as training opens its own."""
    return GraphStore(sample_store).snapshot


def test_a_training_sample_is_the_served_request(
    service: ServerProcess, recorded: Path, snapshot: Snapshot
) -> None:
    """The tensors of training's samples are those of the served request, bit for bit."""
    sample, rows = featurized(snapshot, NAMES, "parity")
    assert rows.tolist() == list(range(len(NAMES)))
    assert sample.edge_count > 10
    _assert_identical(sample, _served(service, recorded, NAMES, None))


def test_each_sample_is_the_request_of_its_name_alone(
    service: ServerProcess, recorded: Path, snapshot: Snapshot
) -> None:
    """A name cut out of a training pool is what a request for that name sends."""
    sample, _ = featurized(snapshot, NAMES, "parity")
    for name, graph in zip(NAMES, split(sample, [1] * len(NAMES)), strict=True):
        _assert_identical(graph, _served(service, recorded, [name], None))


def test_answers_make_the_same_tensors_served_or_not(
    service: ServerProcess, recorded: Path, snapshot: Snapshot
) -> None:
    """Evidence of the request itself enters the tensors by the same code."""
    made = featurize(snapshot, NAMES, ANSWERS).graphs
    assert made is not None
    _assert_identical(made, _served(service, recorded, NAMES, ANSWERS))
