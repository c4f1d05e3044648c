"""The generator against real server processes."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Iterator
from subprocess import PIPE, Popen

import numpy as np
import pytest

from contract.graphs import DomainGraphs, split, union
from inference_services.processes import free_ports
from load_tests.generator.answers import LOST
from load_tests.generator.connecting import connected
from load_tests.generator.grpc_request import grpc_request_of
from load_tests.generator.loops import closed_loop, open_loop
from load_tests.graph_messages import binary_of, grpc_of, joined, json_of, message_of
from tests.graphs import random_graphs
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess

SINGLES = split(random_graphs(np.random.default_rng(3), 8, 40, 80), [1] * 8)
# More than the 64 KiB that a stream may send before it is told more.
LARGE = union(SINGLES * 8)
MAKERS = {"grpc": grpc_of, "json": json_of, "binary": binary_of}


def target_of(server: ServerProcess, protocol: str) -> str:
    """Where a protocol is spoken."""
    return server.grpc_target if protocol == "grpc" else f"{HOST}:{server.rest_port}"


@pytest.mark.parametrize("protocol", MAKERS)
@pytest.mark.parametrize("graphs", [SINGLES, [LARGE]], ids=["single", "large"])
async def test_every_answer_of_a_predictor_is_good(
    risk_predictor: ServerProcess, protocol: str, graphs: list[DomainGraphs]
) -> None:
    """Requests of each protocol, small or larger than a flow-control window, all get their scores."""
    target = target_of(risk_predictor, protocol)
    requests = [MAKERS[protocol](each, target) for each in graphs]
    async with connected(protocol, target, 3) as connections:
        closed = await closed_loop(connections, requests, in_flight=6, seconds=0.3, warm_up_s=0.1)
        opened = await open_loop(connections, requests, per_second=20, seconds=0.5, warm_up_s=0, spin=False)
    assert (closed.failures, opened.failures) == ({}, {})
    assert closed.answers > 0
    assert opened.answers > 0
    assert len(opened.lags_s) == 10
    assert 0 < closed.latency_ms(50) <= closed.latency_ms(99)


async def test_refusals_are_counted_by_what_they_say(risk_predictor: ServerProcess) -> None:
    """Nothing but status 0 or 200 counts as an answer."""
    message = message_of(SINGLES[0])
    message.model_name = "other"
    request = grpc_request_of(message.SerializeToString(), risk_predictor.grpc_target)
    async with connected("grpc", risk_predictor.grpc_target, 1) as connections:
        tally = await closed_loop(connections, [request], 2, 0.1, 0.0)
    assert (tally.answers, math.isnan(tally.latency_ms(50))) == (0, True)
    [refusal] = tally.failures
    assert refusal.startswith("grpc-status 5: no model")


async def test_wrong_expectations_are_failures_on_rest(risk_predictor: ServerProcess) -> None:
    """An answer of status 200 without the rows that were due is not a good one."""
    target = target_of(risk_predictor, "json")
    request = json_of(SINGLES[0], target)
    lies = type(request)(request.wire, b'"shape":[77]')
    async with connected("json", target, 1) as connections:
        tally = await closed_loop(connections, [lies], 1, 0.1, 0.0)
    assert set(tally.failures) == {'the answer lacks "shape":[77]'}


@pytest.fixture
def trivial() -> Iterator[tuple[Popen[bytes], str]]:
    """The trivial server, which answers one score whatever it is asked, and where it listens."""
    [port] = free_ports(1)
    command = [sys.executable, "-m", "load_tests.generator.trivial_server", str(port)]
    process = Popen(command, stdout=PIPE, cwd=REPOSITORY)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"answering on")
    yield process, f"{HOST}:{port}"
    process.kill()
    process.wait()
    process.stdout.close()


async def test_latency_counts_from_when_a_request_was_due(trivial: tuple[Popen[bytes], str]) -> None:
    """Requests due while the generator itself stood still were late by as much, and it says so."""
    asyncio.get_running_loop().call_later(0.1, time.sleep, 0.2)
    async with connected("grpc", trivial[1], 1) as connections:
        requests = [grpc_of(SINGLES[0], "trivial")]
        tally = await open_loop(connections, requests, per_second=100, seconds=1, warm_up_s=0, spin=False)
    assert (tally.answers, tally.failures) == (100, {})
    assert tally.latency_ms(100) > 150
    assert max(tally.lags_s) > 0.15


async def test_a_killed_server_leaves_no_caller_waiting(trivial: tuple[Popen[bytes], str]) -> None:
    """When the connection dies, what was under way is counted as lost, and the load ends in time."""
    asyncio.get_running_loop().call_later(0.5, trivial[0].kill)
    async with connected("grpc", trivial[1], 1) as connections:
        load = closed_loop(connections, [grpc_of(SINGLES[0], "trivial")], 4, 1.0, warm_up_s=0.0)
        tally = await asyncio.wait_for(load, 5)
    assert tally.answers > 0
    assert tally.failures == {LOST: 4}


async def test_too_few_scores_are_noticed(trivial: tuple[Popen[bytes], str]) -> None:
    """One score for a request of two graphs is a failure, every time."""
    two = [grpc_of(batch, "trivial") for batch in joined(SINGLES, 2)]
    async with connected("grpc", trivial[1], 1) as connections:
        tally = await closed_loop(connections, two, 2, 0.1, 0.0)
    assert (tally.answers, set(tally.failures)) == (0, {"1 scores where 2 were due"})


async def test_nobody_there_is_an_os_error() -> None:
    """A port that nobody listens on is an error of one line."""
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        async with connected("grpc", f"{HOST}:{free_ports(1)[0]}", 1):
            pass


async def test_a_server_of_another_protocol_is_an_os_error(risk_predictor: ServerProcess) -> None:
    """A REST port is told apart from a gRPC port before any load runs."""
    with pytest.raises(OSError, match=r"HTTP/2|closed|reset"):
        async with connected("grpc", f"{HOST}:{risk_predictor.rest_port}", 1):
            pass
