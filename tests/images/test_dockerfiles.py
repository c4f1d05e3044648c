"""What the Dockerfiles promise: pinned, by hash, without root, with nothing that runs does not need."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from inference_services.images import IMAGES as BUILT
from inference_services.images import LOCKS, CannotBuild, build_command, cpu_lock, main, working_engine
from tests.images.dockerfile import IMAGES, PLACE, stages_of, steps_of
from tests.serving.server_process import REPOSITORY

FOLDERS = {
    "predictor": {"contract", "serving", "predictor"},
    "transformer": {"contract", "serving", "transformer"},
    "explainer": {"contract", "serving", "explainer"},
    "rollout": {"contract", "rollout"},
    # Evaluation runs all services.
    "training": {
        *("contract", "serving", "predictor", "transformer", "explainer"),
        *("inference_services", "rollout", "training"),
    },
}
SHARED = {"pyproject.toml", "README.md", "LICENSE", "inference_services/locks"}


def values(image: str, name: str, stage: int) -> list[str]:
    return [step.value for step in stages_of(image)[stage] if step.name == name]


@pytest.mark.parametrize("image", IMAGES)
def test_the_base_is_pinned_and_there_are_two_stages(image: str) -> None:
    """A version, or a digest by argument; what builds is not what runs."""
    assert len(stages_of(image)) == 2
    base = next(
        step.value for step in steps_of(image) if step.name == "ARG" and step.value.startswith("BASE=")
    )
    assert re.fullmatch(r"BASE=python:3\.11\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    assert [stage[0].value for stage in stages_of(image)] == ["${BASE} AS builder", "${BASE}"]


@pytest.mark.parametrize("image", IMAGES)
def test_only_what_the_process_imports_is_copied(image: str) -> None:
    """And nothing but the environment reaches the image that runs."""
    copied = {source for value in values(image, "COPY", 0) for source in value.split()[:-1]}
    assert copied - SHARED == FOLDERS[image]
    assert values(image, "COPY", 1) == [f"--from=builder {PLACE} {PLACE}"]
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {f"!{folder}" for folder in FOLDERS[image] | SHARED} <= set(ignored)


@pytest.mark.parametrize("image", IMAGES)
def test_everything_is_installed_by_hash(image: str) -> None:
    """Each install is of a lock, or of the wheel that was just built, without dependencies."""
    for command in values(image, "RUN", 0):
        if " install " in command:
            assert "--require-hashes" in command or "--no-deps --no-index" in command, command


@pytest.mark.parametrize("image", IMAGES)
def test_it_runs_without_root_pip_and_health_check(image: str) -> None:
    """A numeric user, an entry point without a shell; probes are Kubernetes'."""
    assert values(image, "USER", 1) == ["65532:65532"]
    assert json.loads(values(image, "ENTRYPOINT", 1)[0]) == [f"{PLACE}/bin/python", "-m", image]
    names = {step.name for step in steps_of(image)}
    assert not names & {"HEALTHCHECK", "ADD", "CMD"}
    assert "pip" in values(image, "RUN", 1)[0]
    assert "--without-pip" in " ".join(values(image, "RUN", 0))


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_says_what_it_is(image: str) -> None:
    """OCI labels: title, version, revision, licence."""
    labels = " ".join(values(image, "LABEL", 1))
    for name in ("title", "description", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{name}=" in labels


@pytest.mark.parametrize("lock", sorted(path.name for path in LOCKS.glob("*.lock")))
def test_a_lock_has_the_versions_of_the_project(lock: str) -> None:
    """Each line is pinned and hashed; what pyproject pins is the same there."""
    text = (LOCKS / lock).read_text()
    pinned = dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", text, re.MULTILINE))
    assert len(pinned) == len(re.findall(r"^\S", text, re.MULTILINE))
    assert text.count("--hash=sha256:") >= len(pinned)
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    name = lock.removesuffix(".lock").partition("-")[0]
    for requirement in extras.get(name, []):
        wanted = re.fullmatch(r"([\w-]+)==(.+)", requirement)
        if wanted:
            assert pinned[wanted[1]].removesuffix("+cpu") == wanted[2], requirement


def test_the_cpu_lock_is_the_other_without_cuda() -> None:
    """Nothing of CUDA, and torch's wheel for CPU by its one hash."""
    cuda = "nvidia-nvtx==13 \\\n    --hash=a\ntorch==2.13.0 \\\n    --hash=b\ntriton==3 \\\n    --hash=c\nxxhash==4\n"
    lines = cpu_lock(cuda).splitlines()
    assert (lines[0], lines[2:]) == ("torch==2.13.0+cpu \\", ["xxhash==4"])
    assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", lines[1])
    for image in ("predictor", "training"):
        cuda_lock = (LOCKS / f"{image}-cuda.lock").read_text()
        assert (LOCKS / f"{image}-cpu.lock").read_text() == cpu_lock(cuda_lock)


def test_the_command_builds_every_image() -> None:
    """With the version, the revision, and the device."""
    assert {name for name, _, _ in BUILT} == set(IMAGES)
    command = build_command("podman", "predictor", "dns-risk/predictor:0.1.0", {"DEVICE": "cpu"})
    assert command[:3] == ["podman", "build", "-f"]
    assert {"VERSION=0.1.0", "DEVICE=cpu"} <= set(command)


def test_without_an_engine_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """None on the PATH: status 1, the three that would do."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotBuild):
        working_engine()
    assert main(["build"]) == 1
    assert "docker, podman, buildah" in capsys.readouterr().err
