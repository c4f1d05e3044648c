"""Replay a query log: score its names, or send it to a sidecar as a resolver would.

    python -m resolver.replay FILE                    what would be blocked, by a transformer's scores
    python -m resolver.replay FILE --socket PATH      its answers as dnstap frames to a running sidecar

FILE is a CSV with the columns ts, query, qtype, rcode and answers, or a packet capture; gzipped or not.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tqdm import tqdm

from resolver.allowlist import POPULAR, UnusableList, read_allowlist
from resolver.bailiwick import answers_about, believed
from resolver.dns_message import BrokenMessage, read_response
from resolver.dnstap import payload_of
from resolver.frame_streams import CONTENT_TYPE, READY, START, STOP, control, frame
from resolver.observations import Observation, answers_text
from resolver.pending import Pending
from resolver.policy import MONITOR, Policy
from resolver.public_names import is_local
from resolver.replay.query_log import UnusableLog, responses
from resolver.replay.table import document, rows_of, summary, table
from resolver.score_cache import Scored
from resolver.scorer import Scorer

_SHOWN: Final = 50
_PATIENCE_S: Final = 10.0


class ReplayFailed(Exception):
    """Nobody answers; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay; the result is the exit status."""
    given = _parser().parse_args(arguments)
    try:
        # Never as a list: a day of captures is larger than memory.
        log = tqdm(responses(given.file), desc="read", unit="row", disable=None)
        if given.socket is not None:
            sent = send(given.socket, log)
            print(f"{sent:,} responses sent to {given.socket}")
            return 0
        policy = _policy(given)
        queries, answers = _names(log)
        scores = asyncio.run(scored(given.transformer, answers))
        rows = rows_of(queries, scores, policy)
        print(table(rows, given.show))
        print()
        print(summary(rows, len(queries) - len(rows)))
        if given.json is not None:
            given.json.write_text(document(rows, len(queries) - len(rows)), encoding="utf-8")
    except (UnusableLog, UnusableList, ReplayFailed, OSError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _names(log: Iterable[tuple[bytes, int]]) -> tuple[Counter[bytes], dict[bytes, str]]:
    """How often each public name was asked, and what was answered the first time."""
    queries: Counter[bytes] = Counter()
    answers: dict[bytes, str] = {}
    for wire, second in log:
        with suppress(BrokenMessage):
            name, qtype, rcode, records, _ = read_response(wire)
            queries[name] += 1
            if not is_local(name):
                heard = believed(Observation(name, qtype, rcode, second, records), private=False)
                answers[name] = answers.get(name) or answers_text(answers_about(name, heard.records))
    return queries, answers


async def scored(target: str, answers: Mapping[bytes, str]) -> dict[bytes, Scored]:
    """The scores of names with their answers, asked for as the sidecar asks.

    Raises:
        ReplayFailed: the transformer did not answer for ten seconds.
    """
    found: dict[bytes, Scored] = {}
    pending = Pending(len(answers))
    for name, text in answers.items():
        pending.offer(name, text)
    scorer = Scorer(target, None, _PATIENCE_S, pending, found.update)
    work = asyncio.create_task(scorer.run())
    last_s, last = time.monotonic(), 0
    with tqdm(total=len(answers), desc="score", unit="name", disable=None) as bar:
        while len(found) < len(answers):
            await asyncio.sleep(0.02)
            bar.update(len(found) - bar.n)
            if len(found) > last:
                last_s, last = time.monotonic(), len(found)
            elif time.monotonic() - last_s > _PATIENCE_S or work.done():
                codes = ", ".join(f"{count} x {code}" for code, count in scorer.calls.items())
                work.cancel()
                raise ReplayFailed(f"{target}: {len(found)} of {len(answers)} names scored ({codes})")
    work.cancel()
    return found


def send(path: Path, log: Iterable[tuple[bytes, int]]) -> int:
    """Send responses as a resolver sends dnstap; how many.

    Raises:
        OSError: nobody listens, or the stream ends.
    """
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(_PATIENCE_S)
        stream.connect(str(path))
        stream.sendall(control(READY, CONTENT_TYPE))
        stream.recv(512)
        stream.sendall(control(START, CONTENT_TYPE))
        sent = 0
        for wire, seconds in log:
            stream.sendall(frame(payload_of(wire, seconds)))
            sent += 1
        stream.sendall(control(STOP))
        stream.recv(512)
    return sent


def _policy(given: argparse.Namespace) -> Policy:
    allowlist = read_allowlist(POPULAR, *([given.allowlist] if given.allowlist else []))
    return Policy(MONITOR, allowlist, given.block_threshold, given.monitor_threshold)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m resolver.replay", description="try a policy on old queries"
    )
    parser.add_argument(
        "file", type=Path, help="CSV with ts, query, qtype, rcode, answers, or a packet capture"
    )
    parser.add_argument("--transformer", default="127.0.0.1:8081", metavar="HOST:PORT")
    parser.add_argument(
        "--socket", type=Path, metavar="PATH", help="send dnstap to a running sidecar instead"
    )
    parser.add_argument("--block_threshold", type=float, metavar="SCORE")
    parser.add_argument("--monitor_threshold", type=float, metavar="SCORE")
    parser.add_argument("--allowlist", type=Path, metavar="FILE")
    parser.add_argument("--show", type=int, default=_SHOWN, metavar="ROWS")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every name there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
