"""`python -m resolver`: the sidecar, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

from resolver.allowlist import UnusableList
from resolver.http_page import HttpPage
from resolver.logs import configure_logs
from resolver.metrics import registry_of
from resolver.rpz.journal import UnusableJournal
from resolver.rpz.keys import UnusableKey
from resolver.settings import ENV_PREFIX, Settings, UnusableSettings, read_settings
from resolver.sidecar import Sidecar

_log = logging.getLogger("resolver")


def main() -> int:
    """Run; the result is the exit status."""
    argparse.ArgumentParser(
        prog="python -m resolver",
        description=f"The sidecar beside a resolver. Settings are environment variables, {ENV_PREFIX}…",
    ).parse_args()
    try:
        settings = read_settings()
        configure_logs(settings.log_level)
        asyncio.run(serve(settings))
    except (UnusableSettings, UnusableList, UnusableKey, UnusableJournal, OSError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0


async def serve(settings: Settings) -> None:
    """Listen, work until a signal, and leave everything on disk.

    Raises:
        UnusableSettings: a port, socket or folder that cannot be used.
    """
    for name in ("state_dir", "passive_dns_dir"):
        if (folder := getattr(settings, name)) is not None:
            with _told(name):
                folder.mkdir(parents=True, exist_ok=True)
    sidecar = Sidecar(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, sidecar.reload)
    async with AsyncExitStack() as stack:
        # Nobody is served a zone of another mode or list.
        await sidecar.publisher.publish()
        await listen(sidecar, stack)
        work = asyncio.create_task(sidecar.run())
        _log.info("ready", extra={"mode": settings.mode, "serial": sidecar.publisher.zone.serial})
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        await end(sidecar, work)


async def listen(sidecar: Sidecar, stack: AsyncExitStack) -> None:
    """Open what the settings ask for; the stack closes it.

    Raises:
        UnusableSettings: something is taken, or is not there.
    """
    settings = sidecar.settings
    primary, questions = sidecar.publisher.primary, sidecar.questions
    stack.push_async_callback(sidecar.tap.close)
    stack.callback(questions.close)
    stack.push_async_callback(primary.close)
    if settings.rpz_port:
        with _told("rpz_host", "rpz_port"):
            await primary.listen(settings.rpz_host, settings.rpz_port)
    if settings.datagram_port:
        with _told("datagram_host", "datagram_port"):
            await questions.listen(settings.datagram_host, settings.datagram_port)
    if settings.datagram_socket is not None:
        with _told("datagram_socket"):
            await questions.listen_unix(settings.datagram_socket)
    if settings.dnstap_socket is not None:
        with _told("dnstap_socket"):
            await sidecar.tap.listen(settings.dnstap_socket)
    if settings.http_port:
        with _told("http_host", "http_port"):
            page = HttpPage(settings.http_host, settings.http_port, registry_of(sidecar), sidecar.health)
        stack.callback(page.close)


@contextmanager
def _told(*names: str) -> Iterator[None]:
    """Say by which settings something is asked for that the system refuses."""
    try:
        yield
    except (OSError, UnicodeError, ValueError) as refusal:
        variables = ", ".join(f"{ENV_PREFIX}{name.upper()}" for name in names)
        raise UnusableSettings(f"{variables}: {refusal}") from None


async def end(sidecar: Sidecar, work: asyncio.Task[None]) -> None:
    """Stop working; a part that broke ends the process with its reason, as a supervisor starts it anew."""
    broke = work.done()
    work.cancel()
    results = await asyncio.gather(work, return_exceptions=True)
    await sidecar.publisher.publish()
    if sidecar.feed is not None:
        sidecar.feed.write(sidecar.feed.take(), time.time())
    if broke and isinstance(results[0], BaseException):
        raise results[0]


if __name__ == "__main__":
    sys.exit(main())
