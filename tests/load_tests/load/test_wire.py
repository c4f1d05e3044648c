"""An answer is good only if it holds a row for each name."""

from __future__ import annotations

import json

import pytest
from tritonclient.grpc import service_pb2

from load_tests.load.target import Target, address_of
from load_tests.load.wire import Answer, UnusableAnswer, read_grpc, read_json


def grpc_answer(*statuses: str, name: str = "status") -> bytes:
    """A response as the transformer gives it."""
    response = service_pb2.ModelInferResponse(model_name="dns-risk")
    response.parameters["model_version"].string_param = "7"
    response.outputs.add(name=name, datatype="BYTES", shape=[len(statuses)])
    texts = [status.encode() for status in statuses]
    response.raw_output_contents.append(b"".join(len(t).to_bytes(4, "little") + t for t in texts))
    return bytes(response.SerializeToString())


def json_answer(*statuses: str, name: str = "status") -> bytes:
    """The same in JSON."""
    outputs = [{"name": name, "data": statuses}]
    return json.dumps({"parameters": {"model_version": "7"}, "outputs": outputs}).encode()


STATUSES = ("ok", "answers ignored: no record", "lexical only: predictor away", "not a name")


def test_statuses_are_counted_alike_on_both_protocols() -> None:
    """Of four names one was scored by its spelling and one not at all."""
    expected = Answer("7", lexical=1, unscored=1)
    assert read_json(json_answer(*STATUSES), 4) == read_grpc(grpc_answer(*STATUSES), 4) == expected


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"outputs": 3}', b"\xff", json_answer("ok", name="x"), json_answer("ok", "ok")],
)
def test_other_json_is_unusable(body: bytes) -> None:
    """No JSON, no status, too many rows."""
    with pytest.raises(UnusableAnswer):
        read_json(body, 1)


@pytest.mark.parametrize(
    "message", [b"", b"\xff\xff", grpc_answer("ok", name="x"), grpc_answer("ok", "ok"), grpc_answer()]
)
def test_other_messages_are_unusable(message: bytes) -> None:
    """No message, no status, too many rows, none."""
    with pytest.raises(UnusableAnswer):
        read_grpc(message, 1)


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://a", "http://", "http://a/path", "http://a:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Scheme, host and port, and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 - the port's message is urllib's own
        address_of(url)


def test_only_this_machine_is_local() -> None:
    """Whose metrics can be read and whose services can be started."""
    assert Target(rest="http://127.0.0.1:1", grpc="").local
    assert Target(rest="http://localhost", grpc="").local
    assert not Target(rest="https://ingress.example.com", grpc="").local
