"""A gRPC request as bytes made beforehand, and what its answer must hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tritonclient.grpc import service_pb2

from contract.tensors import INFER_METHOD
from load_tests.generator.answers import OK
from load_tests.generator.frames import (
    END_HEADERS,
    END_STREAM,
    SMALLEST_MAX_FRAME,
    Kind,
    frame_start,
    header_block,
)

_PREFIX_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class GrpcRequest:
    """One request of any stream: `stream.join(pieces)` are its frames, with the stream number in 4 bytes."""

    block: bytes
    body: bytes
    scores: int | None = None
    """How many rows the first output of the answer must have; None where nobody looks."""
    pieces: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pieces", _pieces(self.block, self.body))


def grpc_request(message: Any, authority: str, scores: int | None = None) -> GrpcRequest:
    """The request of a ModelInferRequest."""
    return grpc_request_of(message.SerializeToString(), authority, scores=scores)


def grpc_request_of(
    message: bytes,
    authority: str,
    path: str = INFER_METHOD,
    metadata: Iterable[tuple[bytes, bytes]] = (),
    scores: int | None = None,
) -> GrpcRequest:
    """The request of a serialised message, to any method and with any metadata."""
    headers = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", authority.encode()),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *metadata,
    ]
    return GrpcRequest(header_block(headers), prefixed(message), scores)


def prefixed(message: bytes) -> bytes:
    r"""A message as gRPC frames it: uncompressed, and its length.

    >>> prefixed(b"abc")
    b'\x00\x00\x00\x00\x03abc'
    """
    return b"\x00" + len(message).to_bytes(4, "big") + message


def _pieces(block: bytes, body: bytes) -> tuple[bytes, ...]:
    """The frames without their stream numbers, cut where those belong."""
    chunks = [body[first : first + SMALLEST_MAX_FRAME] for first in range(0, len(body), SMALLEST_MAX_FRAME)]
    starts = [frame_start(Kind.DATA, 0, len(chunk)) for chunk in chunks[:-1]]
    starts.append(frame_start(Kind.DATA, END_STREAM, len(chunks[-1])))
    contents = (block, *chunks)
    middle = (content + start for content, start in zip(contents, starts, strict=False))
    return (frame_start(Kind.HEADERS, END_HEADERS, len(block)), *middle, chunks[-1])


def flaw_of(request: GrpcRequest, answer: bytes) -> str:
    """What is wrong with the body of an answer of status 0, `OK` where nothing is."""
    if request.scores is None:
        return OK
    if not answer or answer[0] or int.from_bytes(answer[1:5], "big") != len(answer) - _PREFIX_BYTES:
        return "no single uncompressed message"
    try:
        outputs = service_pb2.ModelInferResponse.FromString(answer[_PREFIX_BYTES:]).outputs
    except DecodeError:
        return "no ModelInferResponse"
    rows = outputs[0].shape[0] if outputs and outputs[0].shape else 0
    return OK if rows == request.scores else f"{rows} scores where {request.scores} were due"
