"""`python -m transformer`: serve names to clients, with a predictor behind."""

from __future__ import annotations

import sys

from contract.policy import Policy
from contract.tensors import RISK_MODEL
from serving.flags import given_flags
from serving.front_desk import server_version
from serving.metrics import AnswerMetrics, BuildMetrics, FeatureMetrics
from serving.model import RiskModel
from serving.predictor_client import PredictorClient
from serving.server import RiskServer
from serving.settings import read_settings
from transformer.features_model import DomainFeatures
from transformer.featurizer import Featurizer
from transformer.graph_store import GraphStore, UnusableSnapshot
from transformer.lexical_model import LexicalModel, UnusableModel
from transformer.rounds import RoundLimits
from transformer.score_cache import ScoreCache
from transformer.server import RiskTransformer
from transformer.settings import TransformerSettings


def main(arguments: list[str]) -> None:
    """Read the settings, open the graph store, serve until told to stop.

    Raises:
        SystemExit: impossible settings, an unusable snapshot or a port in use, in one line.
    """
    flags = given_flags(arguments)
    if flags.get("predictor_protocol", "grpc-v2") != "grpc-v2":
        raise SystemExit(f"--predictor_protocol {flags['predictor_protocol']}: only grpc-v2 is spoken")
    settings = read_settings(TransformerSettings, flags)
    server = RiskServer(settings)
    server.start(build(settings, flags.get("model_name", RISK_MODEL)))


def build(settings: TransformerSettings, name: str) -> list[RiskModel]:
    """The transformer over its store and its predictor, and the features that it scores by as a model.

    Raises:
        SystemExit: the store's snapshot or the fallback model cannot be used.
    """
    try:
        store = GraphStore(settings.graph_store, falls_back=True)
        fallback = None if settings.fallback_model_dir is None else LexicalModel(settings.fallback_model_dir)
    except (UnusableSnapshot, UnusableModel) as refusal:
        raise SystemExit(str(refusal)) from None
    metrics = FeatureMetrics()
    featurizer = Featurizer(
        store, settings.max_domains, metrics, private_addresses=settings.private_addresses
    )
    policy = Policy(settings.monitor_threshold, settings.block_threshold)
    scores = RiskTransformer(
        name,
        featurizer,
        PredictorClient(settings.predictor_host, name),
        policy,
        snapshot_poll_s=settings.snapshot_poll_s,
        limits=RoundLimits(settings.max_domains, settings.max_queue_domains),
        metrics=metrics,
        told=AnswerMetrics(),
        fallback=fallback,
        cache=_cache(settings),
    )
    BuildMetrics().announce("transformer", server_version())
    return [scores, DomainFeatures(server_version(), featurizer, policy)]


def _cache(settings: TransformerSettings) -> ScoreCache | None:
    names = settings.score_cache_names
    return ScoreCache(names, settings.score_cache_ttl_s) if names else None


if __name__ == "__main__":
    main(sys.argv[1:])
