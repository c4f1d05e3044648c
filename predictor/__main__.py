"""`python -m predictor`: serve one model version."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import torch
from kserve.model_server import parser
from kserve.protocol.grpc import grpc_predict_v2_pb2

from contract.tensors import RISK_MODEL
from predictor.batcher import Batcher
from predictor.checkpoint import UnusableCheckpoint, load
from predictor.scorer import Scorer, choose_device
from predictor.server import BatchMeter, RiskPredictor
from predictor.settings import PredictorSettings
from serving.flags import given_flags
from serving.front_desk import server_version
from serving.metrics import BatcherMetrics, BuildMetrics
from serving.server import RiskServer
from serving.settings import read_settings

logger = logging.getLogger("predictor")


def main(arguments: list[str]) -> None:
    """Read the settings, load the model, serve until told to stop.

    Raises:
        SystemExit: impossible settings, an unusable checkpoint or a port in use, in one line.
    """
    parser.add_argument("--model_dir", type=Path, help="directory of the model version to serve")
    flags = given_flags(arguments)
    settings = read_settings(PredictorSettings, flags)
    server = RiskServer(settings)
    server.start([build(settings, flags.get("model_name", RISK_MODEL))])


def build(settings: PredictorSettings, name: str) -> RiskPredictor:
    """The predictor with its model on its device.

    Raises:
        SystemExit: a checkpoint or device that cannot be used.
    """
    torch.set_num_threads(settings.torch_threads or max(1, (os.cpu_count() or 2) - 1))
    try:
        model, config = load(settings.model_dir)
        scorer = Scorer(model, choose_device(settings.device))
    except (UnusableCheckpoint, RuntimeError) as refusal:
        raise SystemExit(str(refusal)) from None
    logger.info("model_loaded", extra={"version": config.version, "device": str(scorer.device)})
    BuildMetrics().announce("predictor", server_version(), config.version, config.weights_sha256)
    meter = BatchMeter(BatcherMetrics())
    batcher = Batcher(
        scorer,
        settings.batch_budget,
        settings.queue_limit,
        meter,
        on_loop=scores_on_loop(settings.score_on, scorer.device),
    )
    meter.watch(batcher)
    return RiskPredictor(name, config, batcher, grpc_predict_v2_pb2)


def scores_on_loop(setting: str, device: torch.device) -> bool:
    """Whether batches run on the event loop: as told, else where a thread would only contend with it."""
    if setting == "auto":
        return device.type == "cpu" and torch.get_num_threads() == 1
    return setting == "loop"


if __name__ == "__main__":
    main(sys.argv[1:])
