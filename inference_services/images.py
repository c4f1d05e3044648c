"""`python -m inference_services.images`: build the images, renew the locks that they are built from.

`lock` needs uv on the PATH; it resolves the extras of pyproject.toml, and writes hashes of every file.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
LOCKS: Final = ROOT / "inference_services" / "locks"

# Image, tag's suffix, build arguments.
IMAGES: Final[Sequence[tuple[str, str, Mapping[str, str]]]] = (
    ("predictor", "", {"DEVICE": "cpu"}),
    ("predictor", "-cuda", {"DEVICE": "cuda", "TORCH_INDEX": ""}),
    ("transformer", "", {}),
    ("explainer", "", {}),
    ("rollout", "", {}),
    ("training", "", {"DEVICE": "cpu"}),
)
# What of pyproject.toml each image holds.
_EXTRAS: Final = {
    "predictor": "predictor",
    "transformer": "transformer",
    "explainer": "explainer",
    "rollout": "rollout",
    "training": "kfp",
}
_WITH_TORCH: Final = ("predictor", "training")
# The first that works is taken.
ENGINES: Final = ("docker", "podman", "buildah")

# SHA-256 of torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl, seen on 2026-11-25.
_TORCH_CPU: Final = "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
_ONLY_CUDA: Final = re.compile(r"^(nvidia-|cuda-|triton==)")


class CannotBuild(Exception):
    """No engine, or one that failed; the message says what to install."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or lock; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference_services.images", description=__doc__)
    parser.add_argument("command", choices=("build", "lock"))
    parser.add_argument("--registry", default="", help="prefix of the images' names, with its slash")
    parser.add_argument("--base", help="base image; default: the Dockerfiles'")
    parser.add_argument("--only", choices=sorted({name for name, _, _ in IMAGES}), help="build this one")
    parser.add_argument("--cuda", action="store_true", help="build the predictor for CUDA as well")
    options = parser.parse_args(arguments)
    try:
        if options.command == "lock":
            _lock()
        else:
            _build(options)
    except CannotBuild as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _build(options: Any) -> None:
    engine = working_engine()
    for name, suffix, settings in IMAGES:
        if options.only in {None, name} and (options.cuda or not suffix):
            tag = f"{options.registry}dns-risk/{name}:{release()}{suffix}"
            base = {"BASE": options.base} if options.base else {}
            _run(build_command(engine, name, tag, {**settings, **base}))
            print(f"{tag:<50} {_size(engine, tag)}", flush=True)


def working_engine() -> str:
    """The first of docker, podman and buildah that can build here.

    Raises:
        CannotBuild: none can.
    """
    for engine in ENGINES:
        # A client without its engine answers --version, but not this.
        if shutil.which(engine) and _quietly(engine, "info") == 0:
            return engine
    raise CannotBuild(
        f"none of {', '.join(ENGINES)} works here: install one, and start its engine if it has one"
    )


def build_command(engine: str, name: str, tag: str, settings: Mapping[str, str]) -> list[str]:
    """The command line that builds one image from the repository's root."""
    arguments = {"VERSION": release(), "REVISION": _revision(), **settings}
    given = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
    return [engine, "build", "-f", str(ROOT / name / "Dockerfile"), "-t", tag, *given, str(ROOT)]


def release() -> str:
    """The project's version."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def _revision() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or "unknown"


def _quietly(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603


def _run(command: Sequence[str], **options: Any) -> None:
    done = subprocess.run(command, check=False, cwd=ROOT, **options)  # noqa: S603
    if done.returncode:
        raise CannotBuild(f"{' '.join(command)} ended with status {done.returncode}")


def _size(engine: str, tag: str) -> str:
    command = [engine, "images", "--format", "{{.Size}}", tag]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def _lock() -> None:
    if shutil.which("uv") is None:
        raise CannotBuild("needs uv on the PATH: pip install uv")
    for name, extra in _EXTRAS.items():
        target = LOCKS / (f"{name}-cuda.lock" if name in _WITH_TORCH else f"{name}.lock")
        _resolve(["pyproject.toml", "--extra", extra], target)
    for name in _WITH_TORCH:
        cuda = (LOCKS / f"{name}-cuda.lock").read_text()
        (LOCKS / f"{name}-cpu.lock").write_text(cpu_lock(cuda))
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    _resolve(
        ["-"],
        LOCKS / "build.lock",
        input="\n".join([*requires, "wheel==0.46.1", "packaging==26.3"]),
        text=True,
    )


def _resolve(sources: Sequence[str], target: Path, **options: Any) -> None:
    platform = ["--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28"]
    form = ["--generate-hashes", "--no-header", "--no-annotate", "--quiet", "-o", str(target)]
    _run(["uv", "pip", "compile", *sources, *platform, *form], stdout=subprocess.DEVNULL, **options)


def cpu_lock(cuda: str) -> str:
    """The lock for CPU: without the packages of CUDA, and with torch's CPU wheel."""
    # Its hash alone: beside PyPI's, pip would take the build that it finds with a hash, which is CUDA's.
    torch = f"torch==2.13.0+cpu \\\n    --hash=sha256:{_TORCH_CPU}\n"
    kept = (entry for entry in _entries(cuda) if not _ONLY_CUDA.match(entry))
    return "".join(torch if entry.startswith("torch==") else entry for entry in kept)


def _entries(lock: str) -> Iterator[str]:
    entry = ""
    for line in lock.splitlines(keepends=True):
        if entry and not line.startswith(" "):
            yield entry
            entry = ""
        entry += line
    yield entry


if __name__ == "__main__":
    sys.exit(main())
