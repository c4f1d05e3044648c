"""A gRPC server that answers every call with the same bytes: what the generator itself can do.

    python -m load_tests.generator.trivial_server PORT [SCORES]

Not a server to build on: it reads no headers, grants the largest windows and checks nothing.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final, cast

import numpy as np
import uvloop
from tritonclient.grpc import service_pb2

from load_tests.generator.frames import (
    ACK,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    LARGEST_WINDOW,
    PREFACE,
    FrameReader,
    Kind,
    Setting,
    frame,
    frame_start,
    header_block,
    settings_frame,
    window_update,
)
from load_tests.generator.grpc_request import prefixed

_HOST: Final = "127.0.0.1"
_NOTE_READING_EVERY: Final = 1 << 29


def answer_pieces(scores: int) -> tuple[bytes, ...]:
    """The frames of an answer, cut where the stream's number belongs."""
    response = service_pb2.ModelInferResponse(model_name="trivial")
    response.outputs.add(name="risk_score", datatype="FP32", shape=[scores])
    response.raw_output_contents.append(np.zeros(scores, "<f4").tobytes())
    head = header_block([(b":status", b"200"), (b"content-type", b"application/grpc")])
    body = prefixed(response.SerializeToString())
    tail = header_block([(b"grpc-status", b"0")])
    return (
        frame_start(Kind.HEADERS, END_HEADERS, len(head)),
        head + frame_start(Kind.DATA, 0, len(body)),
        body + frame_start(Kind.HEADERS, END_HEADERS | END_STREAM, len(tail)),
        tail,
    )


class TrivialServer(asyncio.Protocol):
    """One connection."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = pieces
        self._reader = FrameReader()
        self._missing = len(PREFACE)
        self._unnoted = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        own: dict[int, int] = {Setting.INITIAL_WINDOW_SIZE: LARGEST_WINDOW}
        self._transport.write(settings_frame(own) + window_update(0, LARGEST_WINDOW - DEFAULT_WINDOW))

    def data_received(self, data: bytes) -> None:
        skipped = min(self._missing, len(data))
        self._missing -= skipped
        self._unnoted += len(data)
        out = []
        for kind, flags, stream, payload in self._reader.feed(data[skipped:]):
            if kind == Kind.DATA and flags & END_STREAM:
                out.append(stream.to_bytes(4, "big").join(self._pieces))
            elif kind in {Kind.SETTINGS, Kind.PING} and not flags & ACK:
                out.append(frame(kind, ACK, 0, payload if kind == Kind.PING else b""))
        if self._unnoted > _NOTE_READING_EVERY:
            out.append(window_update(0, self._unnoted))
            self._unnoted = 0
        self._transport.write(b"".join(out))


async def serve(port: int, scores: int) -> None:
    """Answer until told to stop."""
    pieces = answer_pieces(scores)
    server = await asyncio.get_running_loop().create_server(lambda: TrivialServer(pieces), _HOST, port)
    print(f"answering on {_HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
