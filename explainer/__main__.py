"""`python -m explainer`: explain scores, with transformer and predictor behind."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Final

from kserve.model_server import parser

from contract.tensors import RISK_MODEL
from explainer.background import UnusableBackground, load_background
from explainer.explain import DomainExplainer, Limits
from explainer.features import FeaturesClient
from explainer.scoring import CallSize
from explainer.server import Admission, Peers, RiskExplainer
from explainer.settings import ExplainerSettings
from serving.flags import given_flags
from serving.front_desk import server_version
from serving.metrics import BuildMetrics, ExplanationMetrics
from serving.predictor_client import PredictorClient
from serving.server import RiskServer
from serving.settings import read_settings

SWITCH_S: Final = 0.001


def main(arguments: list[str]) -> None:
    """Read the settings and the background, serve until told to stop.

    Raises:
        SystemExit: impossible settings, an unusable background or a port in use, in one line.
    """
    parser.add_argument("--model_dir", type=Path, help="directory of the model version to explain")
    parser.add_argument("--transformer_host", help="host:port of the transformer's gRPC")
    # The event loop waits this long for a thread that computes; five of Python's default are a slow probe.
    sys.setswitchinterval(SWITCH_S)
    flags = given_flags(arguments)
    settings = read_settings(ExplainerSettings, flags)
    server = RiskServer(settings)
    # They warn of what is meant: a score is no class label, and not every rule reaches its precision.
    for library in ("alibi", "shap"):
        logging.getLogger(library).setLevel(logging.ERROR)
    server.start([build(settings, flags.get("model_name", RISK_MODEL))])


def build(settings: ExplainerSettings, name: str) -> RiskExplainer:
    """The explainer with its background, in front of peers that need not be there yet.

    Raises:
        SystemExit: the background cannot be used.
    """
    try:
        background = load_background(settings.model_dir)
    except UnusableBackground as refusal:
        raise SystemExit(str(refusal)) from None
    BuildMetrics().announce("explainer", server_version(), background.config.model_version)
    limits = Limits(
        settings.exact_rows,
        settings.anchor_rows,
        settings.anchor_ms / 1000,
        settings.anchor_conditions,
        CallSize(settings.call_graphs, settings.call_nodes),
    )
    return RiskExplainer(
        name,
        server_version(),
        background.config.model_version,
        DomainExplainer(background, limits),
        Peers(FeaturesClient(settings.transformer_host), PredictorClient(settings.predictor_host, name)),
        Admission(settings.max_instances, settings.max_waiting, settings.workers),
        ExplanationMetrics(),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
