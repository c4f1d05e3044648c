"""One machine with everything: API, cluster, proxy, Prometheus, traffic; and rollouts through their command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from inference_services.local import LocalSettings, import_sample
from inference_services.manifests.render import OVERLAYS, render
from inference_services.processes import free_ports
from tests.canary_demo import measure
from tests.canary_demo.cluster import Cluster
from tests.canary_demo.versions import STABLE_URI, Version, make_versions
from tests.kube_api.process import kube_api
from tests.polling import until
from tests.rollout.prometheus_process import prometheus
from tests.serving.server_process import REPOSITORY

SHIPPED = REPOSITORY / "models" / "dns-risk" / "2"
POLICY = Path(__file__).parent / "policy.toml"
# What the status of `watch` means after each command.
VERDICTS = {
    "start": ("promoted", "taken back"),
    "shadow": ("nothing spoke against it", "a breach while it was the shadow"),
}
# Clients may still wait for an answer of the version that has just been taken back.
SETTLE_S = 3.0


@dataclass(frozen=True)
class Outcome:
    """One rollout, as its command line tells it and as clients saw it."""

    command: str
    version: Version
    status: int
    last_words: str
    report: Path | None
    splits: list[measure.MeasuredSplit]
    requests: int
    own_failures: Counter[str]
    other_failures: Counter[str]
    exposure_s: float
    versions_seen: Counter[str]

    @property
    def as_meant(self) -> bool:
        """Whether the verdict is right and nobody noticed the rollout as such."""
        heard = self.versions_seen[self.version.version] or self.own_failures
        unheard = self.command == "start" or not heard
        return self.status == (not self.version.good) and not self.other_failures and unheard

    @property
    def verdict(self) -> str:
        """What came of it, in words."""
        names = VERDICTS[self.command]
        return names[self.status] if self.status in {0, 1} else f"could not be judged (status {self.status})"


@dataclass
class Demo:
    """Everything that runs, and what has been asked since it does."""

    folder: Path
    cluster: Cluster
    prometheus_url: str
    versions: dict[str, Version]
    record: Path
    said: list[str] = field(default_factory=list)

    def roll_out(
        self, version: Version, steps: Sequence[int], show: Callable[[str], None], policy: Path = POLICY
    ) -> Outcome:
        """`rollout start`, then `rollout watch` to its end."""
        start = ("start", "--model-uri", version.uri, "--steps", ",".join(map(str, steps)))
        return self._carry_out(version, start, show, policy)

    def shadow(self, version: Version, percent: int, minutes: float, show: Callable[[str], None]) -> Outcome:
        """`rollout shadow`, then `rollout watch` to its end."""
        start = ("shadow", "--model-uri", version.uri, "--percent", str(percent), "--minutes", str(minutes))
        return self._carry_out(version, start, show, POLICY)

    def _carry_out(
        self, version: Version, start: Sequence[str], show: Callable[[str], None], policy: Path
    ) -> Outcome:
        began, first_split = time.time(), len(self.cluster.splits)
        begun, said = self._rollout(start, show, policy)
        assert begun == 0, said
        status, said = self._rollout(("watch", "--interval", "1"), show, policy)
        seen_s = time.time() + SETTLE_S
        until(lambda: time.time() > seen_s, "the last answers are there")
        requests = measure.read_requests(self.record, began)
        splits = self.cluster.splits[first_split:]
        own, other = measure.failures(requests, version.codes)
        return Outcome(
            command=start[0],
            version=version,
            status=status,
            last_words=_reason(said),
            report=_report(said),
            splits=measure.measure(splits, requests, version, seen_s),
            requests=len(requests),
            own_failures=own,
            other_failures=other,
            exposure_s=measure.exposure_s(splits, seen_s),
            versions_seen=Counter(request.version for request in requests if not request.failed),
        )

    def _rollout(
        self, arguments: Sequence[str], show: Callable[[str], None], policy: Path
    ) -> tuple[int, list[str]]:
        command = [sys.executable, "-m", "rollout", *arguments]
        command += ["--kubeconfig", str(self.cluster.api.kubeconfig), "--prometheus", self.prometheus_url]
        command += ["--policy", str(policy), "--report_dir", str(self.folder / "reports")]
        said = []
        with subprocess.Popen(
            command, cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as child:
            try:
                assert child.stdout is not None
                for line in child.stdout:
                    said.append(line.rstrip())
                    show(said[-1])
                    self.cluster.ready()
            except BaseException:
                child.terminate()
                raise
        return child.returncode, said


def _reason(said: Sequence[str]) -> str:
    found = [line.partition("because: ")[2] for line in said if "because: " in line]
    return found[-1] if found else (said[-1] if said else "")


def _report(said: Sequence[str]) -> Path | None:
    found = [line.removeprefix("report: ") for line in said if line.startswith("report: ")]
    return Path(found[-1]) if found else None


@contextmanager
def running(folder: Path, rate: float) -> Iterator[Demo]:
    """Everything, with traffic on the stable version; stopped in the opposite order."""
    versions = make_versions(SHIPPED, folder / "models")
    import_sample(
        LocalSettings(graph_store=folder / "graph-store"), REPOSITORY / "examples" / "passive_dns.jsonl"
    )
    stable = Version("stable", STABLE_URI, "2", SHIPPED)
    rest, grpc = free_ports(2)
    with ExitStack() as stack:
        api = stack.enter_context(kube_api(folder))
        api.create(render(OVERLAYS / "production-gateway"))
        scraper = stack.enter_context(prometheus(folder))
        cluster = Cluster(
            api=api,
            versions={version.uri: version for version in (stable, *versions.values())},
            graph_store=folder / "graph-store",
            folder=folder / "nginx",
            ports={"HTTPRoute": rest, "GRPCRoute": grpc},
            scrape=scraper.scrape,
        )
        stack.callback(cluster.stop)
        cluster.start()
        until(cluster.ready, "the stable version is ready", 120)
        record = stack.enter_context(_traffic(folder, rest, grpc, rate))
        yield Demo(folder, cluster, scraper.url, versions, record)


@contextmanager
def _traffic(folder: Path, rest: int, grpc: int, rate: float) -> Iterator[Path]:
    record = folder / "traffic.jsonl"
    record.touch()
    command = [sys.executable, "-m", "tests.canary_demo.traffic", "--rest", str(rest), "--grpc", str(grpc)]
    command += ["--rate", str(rate), "--out", str(record)]
    # A session of its own, so that Ctrl-C reaches only the parent.
    with subprocess.Popen(command, cwd=REPOSITORY, env=dict(os.environ), start_new_session=True) as process:
        try:
            until(lambda: _answered(record), "requests are answered", 60)
            yield record
        finally:
            process.terminate()
            process.wait(20)


def _answered(record: Path) -> bool:
    lines = record.read_text().splitlines()
    return len(lines) > 20 and json.loads(lines[-2])["code"] in measure.GOOD_CODES
