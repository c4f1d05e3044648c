"""A Locust run without a web page: reads an assignment, sends requests at their moments, writes outcomes.

    python -m load_tests.load.worker < assignment.json

Standard output: `ready`, then a line of JSON twice a second. Standard input after the assignment: the moment
of the start on the machine's monotonic clock. SIGTERM ends it early, with the outcomes so far.
"""

# ruff: noqa: E402 - gevent replaces sockets, which must happen before anything else imports them
from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json
import signal
import sys
import time
from typing import Any, Final

import gevent
from grpc.experimental import gevent as grpc_gevent
from locust import User, task
from locust.env import Environment

from load_tests.load.assignment import Assignment
from load_tests.load.names import pool_of
from load_tests.load.outcomes import GOOD, NOT_SENT, UNANSWERED, Collector, save
from load_tests.load.plan import Plan, plan_of
from load_tests.load.senders import Failed, GrpcSender, RestSender, Sender

_MAX_UNDER_WAY: Final = 20_000
_REST_AT_ONCE: Final = 512
_PATIENCE_S: Final = 2.0
_REPORT_EVERY_S: Final = 0.5
_YIELD_EVERY: Final = 16


class Run:
    """The requests of one worker, in open loop: a slow answer delays no request."""

    def __init__(self, assignment: Assignment, plan: Plan, start_s: float, environment: Environment) -> None:
        self._assignment = assignment
        self._plan = plan
        self._start_s = start_s
        self._events = environment.events
        self._under_way: dict[int, float] = {}
        self._stopping = False
        self._senders = _senders(assignment)
        self.collector = Collector()
        environment.events.request.add_listener(self._ended)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping = True

    def send_all(self) -> None:
        """Send every request of this worker at its moment, and wait for the last answers."""
        greenlets = gevent.pool.Group()
        for number in range(self._assignment.worker, len(self._plan), self._assignment.workers):
            self._wait_for(number)
            if self._stopping:
                break
            if len(self._under_way) >= _MAX_UNDER_WAY:
                self._fire(number, self._now_s(), NOT_SENT)
            else:
                self._under_way[number] = self._now_s()
                greenlets.spawn(self._send, number)
        greenlets.join(self._assignment.timeout_s + _PATIENCE_S)
        greenlets.kill(block=False)
        for number in list(self._under_way):
            self._fire(number, self._under_way.pop(number), UNANSWERED)
        for sender in self._senders.values():
            sender.close()

    def _wait_for(self, number: int) -> None:
        wait_s = self._plan.intended_s[number] - self._now_s()
        if wait_s > 0:
            gevent.sleep(wait_s)
        elif number // self._assignment.workers % _YIELD_EVERY == 0:
            # Behind: let those that were sent go on.
            gevent.sleep(0)

    def _send(self, number: int) -> None:
        sent_s = self._now_s()
        names, answers = self._plan.names(number)
        try:
            code, answer = self._senders[bool(self._plan.grpc[number])].send(names, answers)
            said = {"version": answer.version, "lexical": answer.lexical, "unscored": answer.unscored}
        except Failed as failed:
            code, said = str(failed), {}
        if self._under_way.pop(number, None) is not None:
            self._fire(number, sent_s, code, **said)

    def _fire(self, number: int, sent_s: float, code: str, **said: Any) -> None:
        """Tell Locust, whose listeners keep what they want of it: here `_ended`."""
        intended_s = float(self._plan.intended_s[number])
        grpc = bool(self._plan.grpc[number])
        names = int(self._plan.offsets[number + 1] - self._plan.offsets[number])
        self._events.request.fire(
            request_type="gRPC" if grpc else "REST",
            name="infer",
            response_time=1000 * (self._now_s() - intended_s),
            response_length=0,
            exception=None if code in GOOD else Failed(code),
            context={"intended_s": intended_s, "sent_s": sent_s, "grpc": grpc, "names": names, "code": code}
            | said,
        )

    def _ended(self, *, context: dict[str, Any], **_: Any) -> None:
        self.collector.add(ended_s=self._now_s(), **context)

    def _now_s(self) -> float:
        return time.monotonic() - self._start_s


def _senders(assignment: Assignment) -> dict[bool, Sender]:
    """By whether it is gRPC."""
    rest = RestSender(assignment.target, assignment.timeout_s, _REST_AT_ONCE)
    if not assignment.target.grpc:
        return {False: rest}
    return {False: rest, True: GrpcSender(assignment.target, assignment.timeout_s)}


def main() -> int:
    """One run."""
    grpc_gevent.init_gevent()
    assignment = Assignment.model_validate_json(sys.stdin.readline())
    profile = assignment.profile
    pool = pool_of(assignment.query_log, profile.traffic.zipf_exponent)
    plan = plan_of(profile, assignment.segments, pool, assignment.salt, assignment.seed)
    print("ready", flush=True)
    start_s = float(sys.stdin.readline())
    collector = drive(assignment, plan, start_s)
    save(collector.outcomes(), assignment.file)
    return 0


def drive(assignment: Assignment, plan: Plan, start_s: float) -> Collector:
    """Let Locust run one user that sends the plan; what came of it."""

    class Callers(User):
        @task
        def send(self) -> None:
            run.send_all()
            gevent.spawn(runner.quit)
            gevent.sleep(_PATIENCE_S)

    environment = Environment(user_classes=[Callers])
    run = Run(assignment, plan, start_s, environment)
    runner = environment.create_local_runner()
    gevent.signal_handler(signal.SIGTERM, run.stop)
    progress = gevent.spawn(_report, run.collector)
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    progress.kill()
    return run.collector


def _report(collector: Collector) -> None:
    while True:
        gevent.sleep(_REPORT_EVERY_S)
        print(json.dumps({"ended": len(collector.codes), "good": collector.good}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
