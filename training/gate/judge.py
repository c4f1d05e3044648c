"""The gate's decisions: two reports and a policy in, a ruling for every rule and figure out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from rollout.gate_file import GateFile, Number, Ruling, Verdict
from training.evaluation.report import Estimate, Figures, Report
from training.gate.cost import judge_cost
from training.gate.policy import Policy, Rule, SameTests
from training.gate.versions import Evaluated


def judge(
    candidate: Evaluated,
    baseline: Evaluated,
    policy: Policy,
    policy_sha256: str,
    *,
    same_machine_only: bool = True,
) -> GateFile:
    """The gate's whole answer.

    Args:
        candidate: the version that wants to take a place.
        baseline: the version whose place it is.
        policy: what is asked.
        policy_sha256: of the policy's file.
        same_machine_only: whether a cost that cannot be compared fails the gate.
    """
    new, old = candidate.report, baseline.report
    differing = list(_differing_tests(new, old, policy.same_tests))
    rulings = [*differing, *_lost_figures(new, old, policy.same_tests.diagnostic)]
    for rule in policy.rules:
        rulings += _by_rule(rule, new, old, same_tests=not any(ruling.fails for ruling in differing))
    rulings += judge_cost(new.cost, old.cost, policy.cost, same_machine_only=same_machine_only)
    return GateFile(
        passed=not any(ruling.fails for ruling in rulings),
        candidate=candidate.judged,
        baseline=baseline.judged,
        policy_sha256=policy_sha256,
        rulings=rulings,
    )


def matches(path: str, pattern: str) -> bool:
    """Whether a figure's path is one that a rule is about.

    >>> matches("names/strong/family/qakbot", "names/strong/family/*"), matches("names/strong", "names/*/*")
    (True, False)
    """
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _differing_tests(new: Report, old: Report, same: SameTests) -> Iterator[Ruling]:
    if same.feature_schema:
        yield _equal("feature schema", new.feature_schema, old.feature_schema)
    files = sorted(new.data.keys() | old.data.keys())
    for pattern in same.files:
        found = [name for name in files if fnmatchcase(name, pattern)]
        if not found:
            yield _equal(f"data {pattern}", "", "")
        for name in found:
            yield _equal(f"data {name}", new.data.get(name, ""), old.data.get(name, ""))


def _equal(what: str, ours: str, theirs: str) -> Ruling:
    if ours == theirs and ours:
        verdict, reason = Verdict.PASSED, ""
    else:
        verdict = Verdict.NOT_COMPARABLE
        shown = [value[:12] or "none" for value in (ours, theirs)]
        reason = f"different tests cannot be compared: candidate's is {shown[0]}, baseline's {shown[1]}"
    return Ruling(
        figure=what,
        metric="fingerprint",
        candidate=None,
        baseline=None,
        bounds="the same in both",
        verdict=verdict,
        reason=reason,
    )


def _lost_figures(new: Report, old: Report, diagnostic: Iterable[str]) -> Iterator[Ruling]:
    """Figures that the baseline has and the candidate lacks, whether a rule is about them or not."""
    for path in sorted(old.figures.keys() - new.figures.keys()):
        if not any(matches(path, pattern) for pattern in diagnostic):
            yield Ruling(
                figure=path,
                metric="any",
                candidate=None,
                baseline=None,
                bounds="there",
                verdict=Verdict.MISSING,
                reason="the baseline has this figure, the candidate lacks it",
            )


def _by_rule(rule: Rule, new: Report, old: Report, *, same_tests: bool) -> list[Ruling]:
    paths = sorted(path for path in new.figures.keys() | old.figures.keys() if matches(path, rule.figure))
    if not paths:
        why = "no figure of either report has this path"
        return [_ruling(rule, rule.figure, None, None, Verdict.MISSING, why)]
    return [
        _by_figure(rule, path, new.figures.get(path), old.figures.get(path), same_tests=same_tests)
        for path in paths
    ]


def _by_figure(
    rule: Rule, path: str, new: Figures | None, old: Figures | None, *, same_tests: bool
) -> Ruling:
    ours, theirs = _metric(new, rule.metric), _metric(old, rule.metric)
    if new is None or ours is None:
        return _ruling(rule, path, ours, theirs, Verdict.MISSING, "the candidate lacks it")
    short = _out_of_bounds(rule, ours)
    if short:
        return _ruling(rule, path, ours, theirs, Verdict.FAILED, short)
    # A figure that is new has no loss to count.
    if rule.no_worse_by is None or old is None or theirs is None:
        return _ruling(rule, path, ours, theirs, Verdict.PASSED, "")
    if not same_tests or (new.rows, new.malicious) != (old.rows, old.malicious):
        why = f"other tests: {new.rows} rows, {new.malicious} malicious, against {old.rows}, {old.malicious}"
        return _ruling(rule, path, ours, theirs, Verdict.NOT_COMPARABLE, why)
    loss = _loss(rule, ours, theirs)
    return _ruling(rule, path, ours, theirs, Verdict.FAILED if loss else Verdict.PASSED, loss)


def _metric(figures: Figures | None, metric: str) -> Estimate | None:
    return None if figures is None else getattr(figures, metric)


def _out_of_bounds(rule: Rule, ours: Estimate) -> str:
    if rule.at_least is not None and ours.value < rule.at_least:
        return f"{ours.value:.4f} is less than {rule.at_least:g}"
    if rule.at_most is not None and ours.value > rule.at_most:
        return f"{ours.value:.4f} is more than {rule.at_most:g}"
    return ""


def _loss(rule: Rule, ours: Estimate, theirs: Estimate) -> str:
    lost = ours.value - theirs.value if rule.falling else theirs.value - ours.value
    # Decimal limits of binary fractions: 0.95 - 0.94 is more than 0.01.
    if rule.no_worse_by is None or lost <= rule.no_worse_by + 1e-9:
        return ""
    meet = ours.low <= theirs.high if rule.falling else ours.high >= theirs.low
    if rule.confident and meet:
        return ""
    return f"worse than the baseline by {lost:.4f}, allowed are {rule.no_worse_by:g}"


def _ruling(
    rule: Rule, path: str, ours: Estimate | None, theirs: Estimate | None, verdict: Verdict, reason: str
) -> Ruling:
    return Ruling(
        figure=path,
        metric=rule.metric,
        candidate=_number(ours),
        baseline=_number(theirs),
        bounds=_bounds(rule),
        verdict=verdict,
        reason=reason,
    )


def _number(estimate: Estimate | None) -> Number | None:
    return None if estimate is None else Number(value=estimate.value, low=estimate.low, high=estimate.high)


def _bounds(rule: Rule) -> str:
    worse = f"no worse by {rule.no_worse_by:g}" if rule.no_worse_by is not None else ""
    said = {
        "at least": rule.at_least,
        "at most": rule.at_most,
    }
    bounds = [f"{words} {bound:g}" for words, bound in said.items() if bound is not None]
    return ", ".join([*bounds, *([worse + (" for sure" if rule.confident else "")] if worse else [])])
