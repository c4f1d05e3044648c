from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from contract.graphs import DomainGraphs
from contract.tensors import BLOCK_PARAMETER, MODEL_VERSION_PARAMETER
from inference_services.processes import free_ports
from load_tests.waiting import poll
from predictor.checkpoint import load
from predictor.scorer import host_tensors
from tests.services import metric, predictor, transformer
from tests.transformer.score_requests import INFER, columns_of, document
from transformer.featurize import featurize
from transformer.graph_store import GraphStore
from transformer.lexical_model import LexicalModel, UnusableModel

SHIPPED = Path(__file__).resolve().parents[2] / "models/dns-risk/2"
NAMES = [b"example.com", b"xkqzjwvbnrt.top", b"a.b.c.co.uk", b"paypal-login.secure.info", b"x", b"-"]
ONLY = "lexical only: the predictor does not answer"


def lone_graphs(empty: Path) -> DomainGraphs:
    """Names without any neighbour."""
    graphs = featurize(GraphStore(empty).snapshot, NAMES).graphs
    assert graphs is not None
    return graphs


def test_lone_names_get_the_predictors_score(tmp_path: Path) -> None:
    """In numpy as in torch: the same weights, the same calibration, the same scores."""
    model, config = load(SHIPPED)
    graphs = lone_graphs(tmp_path)
    expected = model.scores(host_tensors(graphs)).numpy()
    scored = LexicalModel(SHIPPED).score(graphs)
    np.testing.assert_allclose(scored.category_scores, expected[:, :-1], atol=1e-5)
    np.testing.assert_allclose(scored.name_score, expected[:, -1], atol=1e-5)
    np.testing.assert_allclose(scored.risk_score, 1 - expected[:, 0], atol=1e-5)
    assert scored.parameters[MODEL_VERSION_PARAMETER] == f"{config.version}+lexical"
    assert scored.parameters[BLOCK_PARAMETER] == config.operating_points.block


def _without_weights(directory: Path) -> None:
    (directory / "model.safetensors").unlink()


def _other_weights(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"\0" * 100)


def _changed(**values: object) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        path = directory / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_without_weights, "model.safetensors: No such file"),
        (_other_weights, "model.safetensors"),
        (_changed(weights_sha256="0"), "not the weights that config.json names"),
        (_changed(feature_schema="0"), "trained on feature schema 0, this build computes"),
        (_changed(operating_points={"monitor": 2, "block": 3}), "config.json"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    """In one line, at the start and not at the first outage."""
    directory = tmp_path / "1"
    shutil.copytree(SHIPPED, directory)
    harm(directory)
    with pytest.raises(UnusableModel, match=words) as caught:
        LexicalModel(directory)
    assert "\n" not in str(caught.value)


def test_names_are_scored_while_the_predictor_is_away(store: Path) -> None:
    """Ready and answering without a predictor, each score marked; with it, the marks are gone within a second."""
    rest_port, grpc_port = free_ports(2)
    with (
        transformer(grpc_port, store, fallback_model_dir=SHIPPED) as process,
        httpx.Client(base_url=process.rest_url, timeout=20) as client,
    ):
        asked = [*(name.decode() for name in NAMES[:2]), "http://no.name/"]

        def ask() -> dict[str, list[object]]:
            return columns_of(client.post(INFER, json=document(asked)).json())

        told = ask()
        assert told["status"][:2] == [ONLY, ONLY]
        assert told["risk_score"][2] == -1
        assert 0 <= told["risk_score"][0] < told["risk_score"][1] <= 1  # type: ignore[operator]
        assert metric(process, 'dns_risk_domains_total{outcome="lexical_only"}') == 2
        with predictor(SHIPPED, ports=(rest_port, grpc_port)):
            poll(lambda: ask()["status"][:2] == ["ok", "ok"], limit_s=2)
        assert ask()["status"][:2] == [ONLY, ONLY]
