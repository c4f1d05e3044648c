"""The REST application: v2 and v1 paths, health, metadata and metrics.

It stands alone rather than beside KServe's routes, which would offer anonymous callers to unload models
and answer "ready" whatever the models say.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeAlias

from prometheus_client import REGISTRY, exposition
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contract.errors import RiskError
from serving.front_desk import SERVER_NAME, FrontDesk, server_version
from serving.model import RiskModel
from serving.rest_reply import Reply, error_reply, json_reply, refusal
from serving.rest_work import RestWork, infer, v1_verb

EXTENSIONS: Final = ("binary_tensor_data",)

# A media range whose version, if it has one, is of numbers; and the weight of one that is not wanted at all.
_CLEAR_RANGE: Final = re.compile(r"(?:(?!;version=)[!-~]|;version=\d{1,4}(?:\.\d{1,4}){0,2}(?=;|$))+")
_REFUSED: Final = re.compile(r";q=0(?:\.0*)?(?:;|$)")

_V2_MODEL: Final = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")

_Look: TypeAlias = Callable[[FrontDesk, Request], Awaitable[Reply]]


def rest_application(desk: FrontDesk) -> ASGIApp:
    """The ASGI application of one server process."""
    return _InferenceFirst(desk, _all_routes(desk))


class _InferenceFirst:
    """Answers the requests that come by the thousand without a router; all others go through it."""

    def __init__(self, desk: FrontDesk, others: ASGIApp) -> None:
        self._others = others
        work = RestWork(desk, infer)
        self._work = {f"/v2/models/{name}/infer": (work, {"model": name}) for name in desk.models}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = self._work.get(scope["path"]) if scope["type"] == "http" else None
        if known is None or scope["method"] != "POST":
            await self._others(_without_last_slash(scope), receive, send)
            return
        work, scope["path_params"] = known
        await work(scope, receive, send)


def _without_last_slash(scope: Scope) -> Scope:
    # Starlette would redirect to what the caller's Host says, by http also where a proxy speaks https.
    path = scope.get("path", "")
    return {**scope, "path": path[:-1]} if len(path) > 1 and path.endswith("/") else scope


def _all_routes(desk: FrontDesk) -> Starlette:
    work = [
        *(Route(f"{path}/infer", RestWork(desk, infer), methods=["POST"]) for path in _V2_MODEL),
        Route("/v1/models/{model}:{verb}", RestWork(desk, v1_verb), methods=["POST"]),
    ]
    application = Starlette(
        routes=[*work, *_looks(desk)], exception_handlers={HTTPException: _answer_http_exception}
    )
    application.router.redirect_slashes = False
    return application


def _looks(desk: FrontDesk) -> list[BaseRoute]:
    looks: list[tuple[str, _Look]] = [
        ("/", _live),
        ("/metrics", _metrics),
        ("/v2", _server_metadata),
        ("/v2/health/live", _live),
        ("/v2/health/ready", _ready),
        ("/v2/models", _list_models),
        *((path, _model_metadata) for path in _V2_MODEL),
        *((f"{path}/ready", _model_ready) for path in _V2_MODEL),
        ("/v1/models", _list_models),
        ("/v1/models/{model}", _v1_model_ready),
    ]
    return [Route(path, _RestLook(desk, look), methods=["GET"]) for path, look in looks]


class _RestLook:
    """An ASGI endpoint for GET: answers from what the server knows, counts nothing."""

    def __init__(self, desk: FrontDesk, look: _Look) -> None:
        self._desk = desk
        self._look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._look(self._desk, Request(scope, receive))
        except RiskError as error:
            reply = refusal(error)
        await reply.send(send, last=self._desk.draining)


async def _live(_desk: FrontDesk, _request: Request) -> Reply:
    return json_reply({"live": True})


async def _ready(desk: FrontDesk, _request: Request) -> Reply:
    return _readiness(await desk.ready(), {})


async def _model_ready(desk: FrontDesk, request: Request) -> Reply:
    model = _model(desk, request)
    return _readiness(await desk.model_ready(model), {"name": model.name})


async def _v1_model_ready(desk: FrontDesk, request: Request) -> Reply:
    name = request.path_params["model"]
    if ":" in name and name not in desk.models:
        # A verb, which this path's pattern takes for a part of the name.
        raise HTTPException(405, headers={"Allow": "POST"})
    return await _model_ready(desk, request)


def _readiness(ready: bool, content: dict[str, object]) -> Reply:
    if not ready:
        return Reply(503, json_reply(content | {"ready": False}).body, error_reply(503, "").headers)
    return json_reply(content | {"ready": True})


async def _server_metadata(_desk: FrontDesk, _request: Request) -> Reply:
    return json_reply({"name": SERVER_NAME, "version": server_version(), "extensions": EXTENSIONS})


async def _list_models(desk: FrontDesk, _request: Request) -> Reply:
    return json_reply({"models": list(desk.models)})


async def _model_metadata(desk: FrontDesk, request: Request) -> Reply:
    model = _model(desk, request)
    return json_reply(
        {
            "name": model.name,
            "versions": [model.version],
            "platform": model.platform,
            "inputs": [spec.metadata() for spec in model.inputs],
            "outputs": [spec.metadata() for spec in model.outputs],
        }
    )


def _model(desk: FrontDesk, request: Request) -> RiskModel:
    return desk.model(request.path_params["model"], request.path_params.get("version", ""))


async def _metrics(_desk: FrontDesk, request: Request) -> Reply:
    encoder, content_type = exposition.choose_encoder(_understood(request.headers.getlist("accept")))
    return Reply(200, encoder(REGISTRY), ((b"content-type", content_type.encode()),))


def _understood(accept: list[str]) -> str:
    """What prometheus_client can make of Accept: media types in lower case, no odd versions, nothing refused.

    >>> _understood(["Text/Plain; version=1.0.0, text/plain;version=x", "application/openmetrics-text;q=0"])
    'text/plain;version=1.0.0'
    """
    ranges = ["".join(one.lower().split()) for one in ",".join(accept).split(",")]
    return ",".join(one for one in ranges if _CLEAR_RANGE.fullmatch(one) and not _REFUSED.search(one))


async def _answer_http_exception(_request: Request, error: Exception) -> Response:
    # Only Starlette raises these here: no such path, or not by this method.
    status, told = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    reply = error_reply(status, HTTPStatus(status).phrase.lower())
    # RFC 9110, 15.5.6: with 405 come the methods that are there; Starlette has them in any order.
    allowed = ", ".join(sorted((told or {}).get("Allow", "").split(", ")))
    headers = {"Allow": allowed} if allowed else None
    return Response(reply.body, status, headers, media_type="application/json")
