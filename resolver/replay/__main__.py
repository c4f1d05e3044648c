"""Replay query logs: score their names, or send them to a sidecar as a resolver would.

    python -m resolver.replay FILE...                 what would be blocked, by a transformer's scores
    python -m resolver.replay FILE... --socket PATH   its answers as dnstap frames to a running sidecar

FILE is a packet capture (pcap, pcapng), a dnstap file, Zeek's dns.log, DNS-collector's JSON, or a CSV with
the columns ts, query, qtype, rcode and answers; gzipped or not; - is standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from tqdm import tqdm

from resolver.allowlist import POPULAR, UnusableList, read_allowlist
from resolver.bailiwick import answers_about, believed
from resolver.dns_message import BrokenMessage, read_response
from resolver.observations import Observation, answers_text
from resolver.pending import Pending
from resolver.policy import MONITOR, Policy
from resolver.public_names import is_local
from resolver.replay.asked import Asked
from resolver.replay.feeding import SidecarGone, send
from resolver.replay.query_log import all_responses
from resolver.replay.report import BROKEN_MESSAGE, NO_ROOM, Report
from resolver.replay.table import document, rows_of, summary, table
from resolver.score_cache import Scored
from resolver.scorer import Scorer
from resolver.wire_names import to_text

# A response, its second, its name and answers.
_Observed = tuple[bytes, int, bytes, str]
_SHOWN: Final = 50
_PATIENCE_S: Final = 10.0


class ReplayFailed(Exception):
    """Nobody answers; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay; the result is the exit status."""
    given = _parser().parse_args(arguments)
    report = Report()
    try:
        # Never as a list: a day of captures is larger than memory.
        log = tqdm(all_responses(given.files, report), desc="read", unit="row", disable=None)
        (_feed if given.socket is not None else _judge)(given, _observed(log, report), report)
    except (UnusableList, ReplayFailed, SidecarGone, OSError) as refusal:
        report.refused.append(str(refusal))
    except KeyboardInterrupt:
        report.refused.append(f"interrupted, after {report.read:,} rows were read")
    for line in report.refused:
        print(line, file=sys.stderr)
    return 1 if report.refused else 0


def _feed(given: argparse.Namespace, log: Iterable[_Observed], report: Report) -> None:
    sent = send(given.socket, ((wire, second) for wire, second, _, _ in log))
    print(f"{sent:,} responses sent to {given.socket}")
    print(report.text())
    if given.json is not None:
        given.json.write_text(json.dumps({"log": report.document(), "sent": sent}, indent=1) + "\n")


def _judge(given: argparse.Namespace, log: Iterable[_Observed], report: Report) -> None:
    policy = _policy(given)
    asked = Asked()
    for _, _, name, answers in log:
        if is_local(name):
            report.for_house += 1
        elif not asked.add(name, answers):
            report.take_back(NO_ROOM, to_text(name))
    if not asked.queries:
        if report.read:
            print(report.text())
        return
    scores = asyncio.run(scored(given.transformer, asked.answers))
    rows = rows_of(asked.queries, scores, policy)
    unscored = len(asked.queries) - len(rows)
    print("\n\n".join((table(rows, given.show), report.text(), summary(rows, unscored))))
    if given.json is not None:
        given.json.write_text(document(rows, unscored, report.document()), encoding="utf-8")


def _observed(log: Iterable[tuple[bytes, int]], report: Report) -> Iterator[_Observed]:
    """What the sidecar would make of each response."""
    for wire, second in log:
        try:
            name, qtype, rcode, records, _ = read_response(wire)
        except BrokenMessage as broken:
            report.take_back(BROKEN_MESSAGE, str(broken))
        else:
            heard = believed(Observation(name, qtype, rcode, second, records), private=False)
            yield wire, second, name, answers_text(answers_about(name, heard.records))


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


def _policy(given: argparse.Namespace) -> Policy:
    allowlist = read_allowlist(POPULAR, *([given.allowlist] if given.allowlist else []))
    return Policy(MONITOR, allowlist, given.block_threshold, given.monitor_threshold)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m resolver.replay", description="try a policy on old queries"
    )
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE",
        help="capture, dnstap file, Zeek's dns.log, DNS-collector's JSON or CSV; - is standard input",
    )  # fmt: skip
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
