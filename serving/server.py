"""The model server of every service: KServe's, with its fronts and its life replaced."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from kserve import ModelServer
from kserve.model import InferenceModel
from kserve.utils.inference_client_factory import InferenceClientFactory

from serving.front_desk import FrontDesk
from serving.lifecycle import Lifecycle
from serving.logs import configure_logs
from serving.model import RiskModel
from serving.request_metrics import RequestMetrics
from serving.settings import ServingSettings

_LOG: Final = logging.getLogger(__name__)


class RegisteredModel(InferenceModel):  # type: ignore[misc]  # KServe is untyped
    """A `RiskModel` as KServe's registry knows models: its name, tensors and health."""

    def __init__(self, model: RiskModel) -> None:
        super().__init__(model.name)
        self._model = model
        self.ready = True

    async def healthy(self) -> bool:
        """Whether the model can answer."""
        return await self._model.ready()

    def get_input_types(self) -> list[dict[str, object]]:
        """The v2 metadata of the inputs."""
        return [spec.metadata() for spec in self._model.inputs]

    def get_output_types(self) -> list[dict[str, object]]:
        """The v2 metadata of the outputs."""
        return [spec.metadata() for spec in self._model.outputs]

    async def __call__(self, *_arguments: Any, **_options: Any) -> Any:
        """Inference takes the fronts of `serving`, never KServe's data plane."""
        raise NotImplementedError(f"model {self.name} is served by serving.RiskServer only")


class RiskServer(ModelServer):  # type: ignore[misc]  # KServe is untyped
    """Serves `RiskModel`s on REST and gRPC.

    Construct it first thing: logs are JSON from then on. KServe's flags have been read into `settings`
    by `serving.flags`; its predictor configuration and model registry stay in place.
    """

    def __init__(self, settings: ServingSettings) -> None:
        # Before KServe looks whether logging needs its own formats.
        configure_logs(settings.log_level)
        super().__init__(
            http_port=settings.rest_port,
            grpc_port=settings.grpc_port,
            workers=1,
            enable_docs_url=False,
            enable_latency_logging=False,
            event_loop=settings.event_loop,
            timeout_keep_alive=settings.keep_alive_s,
        )
        self._settings = settings

    def start(self, models: Sequence[RiskModel]) -> None:
        """Serve until SIGTERM or SIGINT, or until an engine ends.

        Raises:
            SystemExit: with status 0 never; a one-line message when a port cannot be listened on, status 1
                when an engine ended.
        """
        for model in models:
            self.register_model(RegisteredModel(model))
        with asyncio.Runner(loop_factory=loop_factory(self._settings.event_loop)) as runner:
            status = runner.run(self._serve_models(list(models)))
        if status:
            sys.exit(status)

    async def _serve_models(self, models: list[RiskModel]) -> int:
        _LOG.debug("event_loop", extra={"loop": type(asyncio.get_running_loop()).__module__})
        desk = FrontDesk(models, self._settings, RequestMetrics())
        try:
            return await Lifecycle(desk).run()
        finally:
            await InferenceClientFactory().close()


def loop_factory(event_loop: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The factory of uvloop's loop where it is wanted and installed; None for asyncio's own loop.

    KServe asks uvicorn for "auto" but runs its own `asyncio.run`, which never is uvloop.

    Raises:
        SystemExit: uvloop is demanded and not installed.
    """
    if event_loop == "asyncio":
        return None
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        if event_loop == "uvloop":
            raise SystemExit("event loop uvloop is not installed; set DNS_RISK_EVENT_LOOP=auto") from None
        return None
    return factory
