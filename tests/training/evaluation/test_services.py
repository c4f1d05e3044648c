import asyncio
from pathlib import Path

import numpy as np
import pytest
import torch

from inference_services.local import running
from predictor.checkpoint import load
from predictor.scorer import Scorer
from training.evaluation.services import import_observations, local_settings, served_scores
from training.pools import featurized, observation_line
from transformer.graph_store import GraphStore

NAMES = ["www.example.com", "mail.example.com", "not a name", "kq3v9z7xj1.top", "localhost"]
RESOLVES = [("www.example.com", "10.0.0.1"), ("mail.example.com", "10.0.0.1"), ("other.test", "10.0.0.1")]


@pytest.mark.slow
def test_served_scores_are_the_models_scores(model_dir: Path, tmp_path: Path) -> None:
    """Evaluation sees through the services what the model says of the same names and graph."""
    store = tmp_path / "store"
    import_observations([observation_line(*pair) for pair in RESOLVES], store)
    settings = local_settings(model_dir, store)
    with running(settings):
        served = asyncio.run(served_scores(NAMES, settings.transformer_grpc_port))
    graphs, rows = featurized(GraphStore(store).snapshot, NAMES, "names")
    model, _ = load(model_dir)
    direct = Scorer(model, torch.device("cpu")).launch([graphs]).result().risk_score
    np.testing.assert_allclose(served[rows], direct, atol=1e-5)
    assert served[2] == -1.0
