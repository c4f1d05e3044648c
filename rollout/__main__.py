"""`python -m rollout`: begin a canary, watch it, take it back.

Exit status: 0 done or promoted (or nothing to do), 1 taken back, 2 refused or not possible.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from rollout import feedback
from rollout.cluster import Cluster, ClusterFailed, Overtaken
from rollout.controller import Controller, watch
from rollout.gate import admitted
from rollout.policy import DEFAULT_POLICY, Policy, UnusablePolicy, check_steps, read_policy
from rollout.prometheus import Prometheus
from rollout.report import write_report
from rollout.state import ENDED, Images, Phase, Release, State
from rollout.target import Refused

ABORTED, REFUSED = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what one command says; the result is the exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    options = _parser().parse_args(arguments)
    if options.command == "feedback":
        return feedback.serve(options)
    try:
        policy = read_policy(options.policy)
        with closing(Cluster(options.namespace, options.kubeconfig, dry_run=options.dry_run)) as cluster:
            prometheus = Prometheus(options.prometheus)
            controller = Controller(cluster, prometheus, policy, options.name, options.mode)
            return _COMMANDS[options.command](controller, options, policy)
    except KeyboardInterrupt:
        print("stopped; the rollout stays as it is, and goes on with `watch`", file=sys.stderr)
        return 0
    except (Refused, UnusablePolicy, ClusterFailed, Overtaken) as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _start(controller: Controller, options: Any, policy: Policy) -> int:
    gate = admitted(options.gate, options.model_uri, required=policy.gate.required)
    state = controller.start(_release(options), options.steps or policy.steps, gate=gate)
    print(describe(state))
    return 0


def _shadow(controller: Controller, options: Any, policy: Policy) -> int:
    # A shadow answers nobody, so the policy asks no gate of it; one that is given counts.
    gate = admitted(options.gate, options.model_uri, required=False)
    shadow = (options.percent, options.minutes * 60.0)
    print(describe(controller.start(_release(options), policy.steps, shadow, gate)))
    return 0


def _release(options: Any) -> Release:
    images = Images(
        predictor=options.predictor_image,
        transformer=options.transformer_image,
        explainer=options.explainer_image,
    )
    return Release(model_uri=options.model_uri, images=images)


def _status(controller: Controller, _options: Any, _policy: Policy) -> int:
    state = controller.state()
    print("no rollout yet" if state is None else describe(state))
    return 0


def _step(controller: Controller, options: Any, _policy: Policy) -> int:
    return _ended(controller.tick(), options)


def _promote(controller: Controller, _options: Any, _policy: Policy) -> int:
    print(describe(controller.promote()))
    return 0


def _abort(controller: Controller, options: Any, _policy: Policy) -> int:
    controller.abort(options.reason)
    return 0 if _ended(controller.tick(), options) == ABORTED else REFUSED


def _watch(controller: Controller, options: Any, _policy: Policy) -> int:
    state, shown = None, ""
    for state in watch(controller, options.interval, forever=options.forever):
        text = describe(state) if state else "no rollout"
        if text != shown:
            print(text, flush=True)
            ending = state is not None and state.phase in ENDED
            if ending and shown:
                _report(state, options)
        shown = text
    return ABORTED if state is not None and state.phase is Phase.ABORTED else 0


def _ended(state: State | None, options: Any) -> int:
    if state is None:
        print("no rollout yet")
        return 0
    print(describe(state))
    if state.phase in ENDED:
        _report(state, options)
    return ABORTED if state.phase is Phase.ABORTED else 0


def _report(state: State | None, options: Any) -> None:
    if state is not None:
        print(f"report: {write_report(state, options.report_dir)}", flush=True)


def describe(state: State) -> str:
    """A rollout in a few lines, with the numbers of its last judgement."""
    wanted = state.wanted
    lines = [f"{state.phase}: {state.canary.model_uri} beside {state.stable.model_uri}"]
    lines.append(f"  traffic: canary {wanted.canary_percent} %, mirrored {wanted.mirror_percent} %")
    if state.reason:
        lines.append(f"  because: {state.reason}")
    if state.records:
        last = state.records[-1]
        lines.append(f"  judged at {last.percent} % over {last.ended - last.started:.0f} s:")
        lines += [f"    {ruling}" for ruling in last.rulings]
    return "\n".join(lines)


_COMMANDS: Final[Mapping[str, Callable[[Controller, Any, Policy], int]]] = {
    "start": _start,
    "shadow": _shadow,
    "status": _status,
    "step": _step,
    "promote": _promote,
    "abort": _abort,
    "watch": _watch,
}


def _steps_of(text: str) -> tuple[int, ...]:
    try:
        return check_steps(tuple(int(step) for step in text.split(",")))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    add = common.add_argument
    add("--namespace", default="dns-risk")
    add("--name", default="dns-risk", help="the stable InferenceService")
    add("--prometheus", default="http://127.0.0.1:9090", help="its URL")
    add("--policy", type=Path, default=DEFAULT_POLICY, help="thresholds; default: the shipped policy.toml")
    add("--mode", choices=("auto", "gateway", "knative"), default="auto")
    add("--kubeconfig", help="default: $KUBECONFIG, ~/.kube/config, or the pod's own access")
    add("--report_dir", type=Path, default=Path("rollout-reports"))
    add("--dry-run", action="store_true", help="print the patches, send none")
    parser = argparse.ArgumentParser(prog="python -m rollout", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in _HELP.items():
        _arguments(commands.add_parser(name, parents=[common], help=text, description=text), name)
    feedback.add_arguments(commands.add_parser("feedback", help=feedback.HELP, description=feedback.HELP))
    return parser


_HELP: Final = {
    "start": "set up a canary; watch gives it traffic",
    "shadow": "mirror requests to a candidate, and answer from the stable version only",
    "status": "where the rollout stands",
    "step": "look, judge and act once",
    "promote": "make the canary the stable version, without further evidence",
    "abort": "give all traffic back to the stable version",
    "watch": "step by step until the end",
}


def _arguments(parser: argparse.ArgumentParser, command: str) -> None:
    add = parser.add_argument
    if command in {"start", "shadow"}:
        add("--model-uri", required=True, help="storageUri of the new model version")
        for component in ("predictor", "transformer", "explainer"):
            add(f"--{component}-image", help="default: the stable version's")
        add(
            "--gate",
            type=Path,
            help="verdict of `python -m training gate`; refused if it is not a yes to this",
        )
    if command == "start":
        add("--steps", type=_steps_of, help="percents, such as 5,25,50,100; default: the policy's")
    if command == "shadow":
        add("--percent", type=int, choices=range(1, 101), metavar="1-100", default=20)
        add("--minutes", type=float, default=30.0)
    if command == "abort":
        add("--reason", default="somebody asked for it")
    if command == "watch":
        add("--interval", type=float, default=15.0, help="seconds between looks")
        add("--forever", action="store_true", help="wait for the next rollout after the end of one")


if __name__ == "__main__":
    sys.exit(main())
