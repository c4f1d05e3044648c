"""A real Prometheus that scrapes what it is told to, with the labels that the PodMonitor gives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from inference_services.processes import free_ports
from tests.polling import until


@dataclass(frozen=True)
class PrometheusProcess:
    """Where it answers, and the file that says what it scrapes."""

    url: str
    targets: Path

    def scrape(self, targets: Mapping[str, Mapping[str, str]]) -> None:
        """Scrape these addresses, each with these labels, from now on."""
        found = [{"targets": [address], "labels": dict(labels)} for address, labels in targets.items()]
        # It reads the file when it is renamed into place, never half of it.
        self.targets.with_suffix(".new").write_text(json.dumps(found))
        self.targets.with_suffix(".new").rename(self.targets)

    def value(self, query: str) -> float:
        """The sum of an instant query's result."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=10).json()
        return sum(float(series["value"][1]) for series in answer["data"]["result"])


@contextmanager
def prometheus(folder: Path) -> Iterator[PrometheusProcess]:
    """Run it with a scrape every second; skips where it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed")
    port = free_ports(1)[0]
    targets = folder / "targets.json"
    targets.write_text("[]")
    job = {
        "job_name": "dns-risk",
        "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}],
    }
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    command = [
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    url = f"http://127.0.0.1:{port}"
    environment = {"PATH": os.environ["PATH"]}
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            until(lambda: _ready(url), "Prometheus is ready", 30)
            yield PrometheusProcess(url, targets)
        finally:
            process.terminate()
            process.wait(20)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
