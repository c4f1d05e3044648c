"""Methods: whole messages for unary calls, messages as they come for streams, run as tasks.

`grpc.aio`'s handler objects and servicers are used as they are: `Context` has what ours ask of theirs.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from serving.http2 import status
from serving.http2.stream import PREFIX, Stream

_LOG: Final = logging.getLogger(__name__)

# zlib's window bits: 32 more than the largest window detects gzip and zlib by their headers.
_DETECT_FORMAT: Final = 32 + zlib.MAX_WBITS
_ENCODINGS: Final = ("identity", "deflate", "gzip")
ACCEPTED: Final = (("grpc-accept-encoding", ",".join(_ENCODINGS)),)
# Messages of one stream that wait to be read.
_LONGEST_INBOX: Final = 64


class Refused(Exception):
    """A call ends with this status."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Unary:
    """Reads one message, and hands it on when the request is complete."""

    def __init__(self, take: Callable[[Stream, bytes], None]) -> None:
        self._take = take

    def came(self, stream: Stream) -> None:
        """Wait for the end of the request."""
        if not stream.ended:
            return
        body = stream.body()
        if len(body) < PREFIX.size or len(body) != PREFIX.size + PREFIX.unpack_from(body)[1]:
            stream.refuse(status.INVALID_ARGUMENT, "expected one message, with its length before it")
        elif body[0]:
            self._take_compressed(stream, body)
        else:
            self._take(stream, body[PREFIX.size :])

    def _take_compressed(self, stream: Stream, body: bytes) -> None:
        try:
            message = unpack(body[0], body[PREFIX.size :], stream)
        except Refused as refusal:
            stream.refuse(refusal.code, str(refusal), ACCEPTED)
        else:
            self._take(stream, message)


def unpack(flag: int, message: bytes, stream: Stream) -> bytes:
    """A message out of its compression, never larger than allowed.

    Raises:
        Refused: UNIMPLEMENTED, INVALID_ARGUMENT or RESOURCE_EXHAUSTED.
    """
    encoding, limit = stream.head.encoding, stream.connection.held.limits.message_bytes
    if flag == 0:
        return message
    if flag != 1 or encoding not in _ENCODINGS[1:]:
        expected = ", ".join(_ENCODINGS)
        raise Refused(status.UNIMPLEMENTED, f"grpc-encoding: expected one of {expected}")
    unpacker = zlib.decompressobj(_DETECT_FORMAT)
    try:
        unpacked = unpacker.decompress(message, limit + 1)
    except zlib.error:
        raise Refused(status.INVALID_ARGUMENT, f"the message is not valid {encoding}") from None
    if len(unpacked) > limit:
        raise Refused(status.RESOURCE_EXHAUSTED, f"the message is over the limit of {limit} bytes")
    if not unpacker.eof:
        raise Refused(status.INVALID_ARGUMENT, f"the message is not valid {encoding}: it is cut off")
    return unpacked


class Context:
    """What our servicers ask of `grpc.aio.ServicerContext`."""

    def __init__(self, stream: Stream, serialize: Callable[[Any], bytes]) -> None:
        self._stream = stream
        self._serialize = serialize
        self.trailing: tuple[tuple[str, str], ...] = ()

    async def abort(self, code: grpc.StatusCode, details: str = "") -> NoReturn:
        """End the call with a status."""
        raise Refused(code.value[0], details)

    async def write(self, message: Any) -> None:
        """Send one message of a stream."""
        self._stream.send(self._serialize(message))

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """The headers of the request."""
        return self._stream.head.metadata

    def set_trailing_metadata(self, metadata: tuple[tuple[str, str], ...]) -> None:
        """What the caller is told at the end, beside the status."""
        self.trailing = metadata

    def time_remaining(self) -> float:
        """Seconds until the deadline."""
        return self._stream.time_remaining_s()


class Task:
    """One call that runs as a task; it ends with its stream."""

    def __init__(self, stream: Stream, handler: Any, requests: Any) -> None:
        self._stream = stream
        self._handler = handler
        self._task = asyncio.get_running_loop().create_task(self._run(requests))

    def gone(self) -> None:
        """Nobody waits any more."""
        if self._task is not asyncio.current_task():
            self._task.cancel()

    def expired(self) -> None:
        """Answer so; the task ends with its stream."""
        self._stream.refuse(status.DEADLINE_EXCEEDED, "the deadline passed before the answer was there")

    async def _run(self, requests: Any) -> None:
        context = Context(self._stream, self._handler.response_serializer)
        try:
            await self._answer(requests, context)
        except Refused as refusal:
            self._stream.refuse(refusal.code, str(refusal), context.trailing)
        except DecodeError:
            self._stream.refuse(status.INVALID_ARGUMENT, "the bytes are no message of this method")
        except Exception:  # noqa: BLE001 - whatever it is, the caller is answered
            _LOG.exception("call_failed")
            self._stream.refuse(status.INTERNAL, "internal error")

    async def _answer(self, requests: Any, context: Context) -> None:
        handler, stream = self._handler, self._stream
        if handler.request_streaming:
            async for answer in handler.stream_stream(self._parsed(requests), context):
                await context.write(answer)
        elif handler.response_streaming:
            await handler.unary_stream(self._parse(requests), context)
        else:
            answer = await handler.unary_unary(self._parse(requests), context)
            stream.answer(handler.response_serializer(answer))
            return
        stream.finish(status.trailers(status.OK))

    def _parse(self, raw: bytes) -> Any:
        parse = self._handler.request_deserializer
        return raw if parse is None else parse(raw)

    async def _parsed(self, inbox: asyncio.Queue[bytes | None]) -> AsyncIterator[Any]:
        while (raw := await inbox.get()) is not None:
            yield self._parse(raw)


class TaskReader(Unary):
    """Runs a unary request of grpc's handler objects."""

    def __init__(self, handler: Any) -> None:
        super().__init__(self._start)
        self._handler = handler

    def _start(self, stream: Stream, message: bytes) -> None:
        stream.call = Task(stream, self._handler, message)


class StreamReader:
    """Runs a method that reads a stream of messages."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def came(self, stream: Stream) -> None:
        """Hand on each message as soon as it is complete."""
        if stream.call is None:
            inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
            stream.call = StreamTask(stream, self._handler, inbox)
        if isinstance(stream.call, StreamTask):
            self._fill(stream, stream.call.inbox)

    def _fill(self, stream: Stream, inbox: asyncio.Queue[bytes | None]) -> None:
        try:
            for flag, message in stream.messages():
                inbox.put_nowait(unpack(flag, message, stream))
        except Refused as refusal:
            stream.refuse(refusal.code, str(refusal), ACCEPTED)
            return
        if inbox.qsize() > _LONGEST_INBOX:
            stream.refuse(status.RESOURCE_EXHAUSTED, "too many messages at a time")
        elif stream.ended:
            inbox.put_nowait(None)


class StreamTask(Task):
    """A task that reads messages from its inbox until None."""

    def __init__(self, stream: Stream, handler: Any, inbox: asyncio.Queue[bytes | None]) -> None:
        self.inbox = inbox
        super().__init__(stream, handler, inbox)


def reader_of(handler: Any) -> TaskReader | StreamReader:
    """Who reads the streams of a method of grpc's handler objects."""
    return StreamReader(handler) if handler.request_streaming else TaskReader(handler)
