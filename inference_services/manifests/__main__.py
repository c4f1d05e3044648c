"""`python -m inference_services.manifests`: render overlays and training jobs, check them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from inference_services.manifests.lint import lint
from inference_services.manifests.render import OVERLAYS, TRAINING, Manifest, RenderFailed, render
from inference_services.manifests.schemas import NoSchemas, Schemas

WRONG, CANNOT = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Check overlays; the exit status is 0 when all are right, 1 when not, 2 when they cannot be checked."""
    options = _parser().parse_args(arguments)
    try:
        schemas = None if options.without_crds else Schemas(crd_folder())
        folders = options.overlays or [*all_overlays(), *training_jobs()]
        wrong = [_check(folder, schemas, options.output) for folder in folders]
    except (NoSchemas, RenderFailed) as failure:
        print(failure, file=sys.stderr)
        return CANNOT
    return WRONG if any(wrong) else 0


def crd_folder() -> Path:
    """Where CRD schemas are looked for."""
    shared = os.environ.get("DNS_RISK_SHARED", "../shared")
    return Path(os.environ.get("DNS_RISK_CRDS", f"{shared}/crd"))


def all_overlays() -> list[Path]:
    """The overlays of this repository."""
    return sorted(path.parent for path in OVERLAYS.glob("*/kustomization.yaml"))


def training_jobs() -> list[Path]:
    """What training applies, each with the base that all of it shares."""
    return sorted(path.parent for path in TRAINING.glob("*/kustomization.yaml") if path.parent.name != "base")


def _check(overlay: Path, schemas: Schemas | None, output: Path | None) -> int:
    manifests = render(overlay)
    found = [*problems(manifests, schemas), *map(str, lint(manifests))]
    print(f"{overlay.name:<20} {len(manifests):>3} objects, {len(found) or 'no'} findings")
    for finding in found:
        print(f"  {finding}")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / f"{overlay.name}.yaml").write_text(yaml.safe_dump_all(manifests, sort_keys=False))
    return len(found)


def problems(manifests: Sequence[Manifest], schemas: Schemas | None) -> list[str]:
    """What the schemas say of the objects; nothing without schemas."""
    if schemas is None:
        return []
    return [
        f"schema: {manifest['kind']} {manifest['metadata']['name']}: {problem}"
        for manifest in manifests
        for problem in schemas.problems(manifest)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference_services.manifests", description=__doc__)
    parser.add_argument(
        "overlays",
        nargs="*",
        type=Path,
        help="folders with a kustomization; default: all overlays and training jobs",
    )
    parser.add_argument(
        "--output", type=Path, help="folder to write the rendered objects to, a file an overlay"
    )
    parser.add_argument("--without_crds", action="store_true", help="only lint: no CRD schemas are at hand")
    return parser


if __name__ == "__main__":
    sys.exit(main())
