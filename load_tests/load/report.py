"""`report.json` and `report.html`: one self-contained page each run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from load_tests.load import plots
from load_tests.load.knee import FAR_PAST, Found
from load_tests.load.outcomes import Outcomes
from load_tests.load.server_metrics import Series
from load_tests.load.slo import Rule
from load_tests.load.summary import over_time, summary, window_of


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to say about a run."""

    profile: str
    title: str
    target: str
    began: datetime
    seconds: float
    machine: str
    names: str
    """where they came from"""
    outcomes: Outcomes
    warmup_s: float
    found: Found | None
    servers: dict[str, dict[str, Series]]
    trouble: dict[str, str]
    rules: list[Rule]
    verdict: str
    """met, broken, or why nothing is judged"""

    def document(self) -> dict[str, Any]:
        """What goes into report.json."""
        judged = self.outcomes.where(self.outcomes.intended_s >= self.warmup_s)
        return {
            "profile": self.profile,
            "title": self.title,
            "target": self.target,
            "began": self.began.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 1),
            "machine": self.machine,
            "names_from": self.names,
            "warmup_s": round(self.warmup_s, 1),
            "verdict": self.verdict,
            "rules": [asdict(rule) for rule in self.rules],
            "judged": summary(judged),
            "knee": _knee(self.found),
            "windows": over_time(self.outcomes, window_of(self.seconds)),
            "servers": self.servers,
            "servers_missing": self.trouble,
        }


def write(report: Report, folder: Path) -> dict[str, Any]:
    """Write both files; the document of the JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    document = report.document()
    (folder / "report.json").write_text(
        json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    (folder / "report.html").write_text(_page(report, document), encoding="utf-8")
    return document


def _page(report: Report, document: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("load_tests.load"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["ms"] = lambda value: "-" if value is None else f"{value:,.1f}"
    windows = document["windows"]
    return environment.get_template("report.html.j2").render(
        run=document,
        pictures={
            "knee": plots.knee_plot(report.found) if report.found and report.found.steps else "",
            "load": plots.load_plot(windows) if windows else "",
            "histogram": plots.histogram(report.outcomes),
            "errors": plots.errors_plot(windows) if any(window["failed"] for window in windows) else "",
            "servers": plots.servers_plot(report.servers) if report.servers else "",
        },
    )


def _knee(found: Found | None) -> dict[str, Any] | None:
    if found is None:
        return None
    kept = found.retained(FAR_PAST)
    return {
        "knee": asdict(found.knee) if found.knee else None,
        "reached": found.reached,
        "steps": [asdict(step) for step in found.steps],
        "past": [{"knees": times, **asdict(step)} for times, step in found.past],
        "retained_at_three": None if kept is None else round(kept, 4),
    }
