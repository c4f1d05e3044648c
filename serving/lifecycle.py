"""Start both protocols together, watch the engines, and drain both together.

    starting ──listening──▶ serving ──SIGTERM, SIGINT──▶ draining ──delay──▶ closing ──grace──▶ stopped, 0
                               └──────engine ends──────────────────────────▶ closing, short ──▶ stopped, 1

"Not ready" comes first, so that no new work is sent here; listeners close after the delay; work inside is
finished within the grace, what is left is answered 503 / UNAVAILABLE; only then do models and clients close.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from typing import Any, Final

from contract.errors import PredictorUnavailable
from serving.deadline import Deadline
from serving.front_desk import FrontDesk
from serving.grpc_front import GrpcServer, grpc_server
from serving.http_server import HttpServer
from serving.listening import rest_socket
from serving.rest_front import rest_application

_LOG: Final = logging.getLogger(__name__)

# How long answers already written may take to leave once no work is inside.
_FLUSH_S: Final = 1.0
_READY_POLL_S: Final = 0.05


class Lifecycle:
    """One run of one server process, from bound ports to exit status."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self._settings = desk.settings
        self._stop = asyncio.Event()
        self._http = HttpServer(rest_application(desk), desk.settings)
        self._grpc: GrpcServer
        self._engines: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Serve until told to stop; the result is the exit status.

        Raises:
            SystemExit: a port cannot be listened on.
        """
        settings = self._settings
        listener = rest_socket(settings.host, settings.rest_port)
        self._grpc = grpc_server(self._desk)
        self._catch_signals()
        self._start_engines()
        await self._grpc.start()
        http = asyncio.create_task(self._http.serve([listener]), name="rest")
        await self._http.listening.wait()
        _LOG.info("listening", extra={"rest_port": settings.rest_port, "grpc_port": settings.grpc_port})
        announcing = asyncio.create_task(self._announce_ready(), name="announce")
        crashed = await self._until_stop()
        announcing.cancel()
        if not crashed:
            await self._drain()
        await self._close(http, _FLUSH_S if crashed else settings.grace_s)
        await self._stop_models()
        return 1 if crashed else 0

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            _LOG.warning("stopping_at_once", extra={"signal": signal.Signals(number).name})
            os._exit(128 + number)
        _LOG.info("stopping", extra={"signal": signal.Signals(number).name})
        self._stop.set()

    def _start_engines(self) -> None:
        for model in self._desk.models.values():
            if model.engine:
                self._engines.add(asyncio.create_task(model.start_engine(), name=model.name))

    async def _announce_ready(self) -> None:
        while not await self._desk.ready():  # noqa: ASYNC110 - models answer when asked, they do not announce
            await asyncio.sleep(_READY_POLL_S)
        # What is loaded by now stays: the collector need not walk it again and again under load.
        gc.collect()
        gc.freeze()
        _LOG.info("ready", extra={"models": list(self._desk.models)})

    async def _until_stop(self) -> bool:
        """Wait for a signal (false) or for an engine that ends (true)."""
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        ended, _ = await asyncio.wait({stopping, *self._engines}, return_when=asyncio.FIRST_COMPLETED)
        crashed = ended & self._engines
        for engine in crashed:
            self._engines.discard(engine)
            _LOG.error("engine_ended", extra={"model": engine.get_name()}, exc_info=_reason(engine))
        stopping.cancel()
        if crashed:
            self._desk.close_broken()
        return bool(crashed)

    async def _drain(self) -> None:
        self._desk.draining = True
        if self._settings.drain_delay_s:
            await asyncio.sleep(self._settings.drain_delay_s)

    async def _close(self, http: asyncio.Task[None], grace_s: float) -> None:
        # Both stop accepting now; each then waits for the work inside it.
        self._http.should_exit = True
        grpc_stop = asyncio.create_task(self._grpc.stop(grace_s + 2 * _FLUSH_S), name="grpc_stop")
        if not await self._desk.empty(Deadline.after(grace_s)):
            _LOG.warning("grace_over", extra={"grace_s": grace_s})
            self._desk.end_all(PredictorUnavailable("the server stopped before the work was done"))
        await asyncio.wait({http, grpc_stop}, timeout=_FLUSH_S)
        # What is still open are health watchers and callers that do not read their answer.
        self._http.force_exit = True
        await asyncio.gather(http, self._grpc.stop(None), grpc_stop)

    async def _stop_models(self) -> None:
        for engine in self._engines:
            engine.cancel()
        await asyncio.gather(*self._engines, return_exceptions=True)
        for model in self._desk.models.values():
            await model.stop()
        _LOG.info("stopped")


def _reason(engine: asyncio.Task[Any]) -> BaseException | None:
    return None if engine.cancelled() else engine.exception()
