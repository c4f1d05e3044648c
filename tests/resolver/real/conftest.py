"""One sidecar that blocks, and each resolver beside it, for all tests here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from inference_services.processes import free_ports
from load_tests.bench_resolver.resolvers import PROGRAMS, Resolver, authority, missing, resolver
from load_tests.bench_resolver.sidecar_process import SidecarProcess, sidecar
from tests.serving.server_process import HOST, ServerProcess


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an authority that knows every name."""
    with authority(tmp_path_factory.mktemp("authority") / "nsd") as port:
        yield port


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    """Where each resolver answers."""
    return dict(zip(PROGRAMS, free_ports(len(PROGRAMS)), strict=True))


@pytest.fixture(scope="session")
def beside(
    scoring: ServerProcess, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SidecarProcess]:
    """The sidecar; it allows everything under ours.tk, and tells Unbound and BIND of changes."""
    folder = tmp_path_factory.mktemp("sidecar")
    (folder / "allow.txt").write_text("ours.tk\n")
    notify = json.dumps([f"{HOST}:{ports[kind]}" for kind in ("unbound", "bind")])
    options = {
        "mode": "block",
        "allowlist_file": folder / "allow.txt",
        "rpz_notify": notify,
        "deadline_ms": 500,
    }
    with sidecar(folder, scoring.grpc_target, **options) as process:
        yield process


@pytest.fixture(scope="session")
def started(
    beside: SidecarProcess, upstream: int, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Resolver]]:
    """The resolvers that are installed."""
    folder = tmp_path_factory.mktemp("resolvers")
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(
                resolver(
                    kind,
                    folder / kind,
                    upstream,
                    beside.tap_path,
                    beside.rpz_port,
                    beside.datagram_port,
                    port=ports[kind],
                )
            )
            for kind in PROGRAMS
            if not missing(kind)
        }


@pytest.fixture
def real(request: pytest.FixtureRequest, started: dict[str, Resolver]) -> Resolver:
    """The resolver that a test is run with; skips where it is not installed."""
    kind = request.param
    if missing(kind):
        pytest.skip(f"not installed: {missing(kind)}")
    return started[kind]
