"""A process whose metrics are those that the services export, as many as a test wants."""

from __future__ import annotations

from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, start_http_server

from serving.metrics import AnswerMetrics, BuildMetrics
from serving.request_metrics import RequestMetrics


class Exporter:
    """The transformer and the predictor of one version, as Prometheus sees them."""

    def __init__(self, model_version: str, weights_sha256: str = "") -> None:
        self.registry = CollectorRegistry()
        self.model_version = model_version
        self._requests = RequestMetrics(self.registry)
        self._answers = AnswerMetrics(self.registry)
        builds = BuildMetrics(self.registry)
        builds.announce("predictor", "0.1.0", model_version, weights_sha256)
        builds.announce("transformer", "0.1.0")
        self._server, self._thread = start_http_server(0, "127.0.0.1", self.registry)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def answer(
        self, count: int, *, code: str = "200", seconds: float = 0.004, scores: Any = (0.02, 0.02, 0.4)
    ) -> None:
        """Count so many requests of as many names each as there are scores."""
        words = np.array([b"block" if score > 0.9 else b"allow" for score in scores], object)
        kinds = np.array([b"dga" if score > 0.9 else b"benign" for score in scores], object)
        for _ in range(count):
            self._requests.begin("rest")
            self._requests.end("rest", "dns-risk", code, seconds)
            if code == "200":
                self._answers.answered(np.array(scores, np.float32), words, kinds, self.model_version)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
