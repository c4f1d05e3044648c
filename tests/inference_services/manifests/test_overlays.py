"""Every overlay that we ship is right, and so is every component on its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inference_services.manifests.__main__ import all_overlays, main, problems
from inference_services.manifests.lint import lint
from inference_services.manifests.render import OVERLAYS, Manifest, RenderFailed, render
from inference_services.manifests.schemas import Schemas

COMPONENTS = sorted(
    path.parent.name for path in (OVERLAYS.parent / "components").glob("*/kustomization.yaml")
)
NAMES = [overlay.name for overlay in all_overlays()]


def test_the_overlays_are_those_that_are_documented() -> None:
    """Four to choose from."""
    assert NAMES == ["local-cluster", "production-gateway", "production-knative", "staging"]


@pytest.mark.parametrize("name", NAMES)
def test_an_overlay_breaks_no_rule(rendered: Callable[[str], list[Manifest]], name: str) -> None:
    """The linter finds nothing."""
    assert lint(rendered(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_overlay_fits_its_schemas(
    rendered: Callable[[str], list[Manifest]], schemas: Schemas, name: str
) -> None:
    """Every object has a schema, and no field that it does not know."""
    assert problems(rendered(name), schemas) == []


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_can_be_switched_on_alone(
    tmp_path: Path, rendered: Callable[[str], list[Manifest]], schemas: Schemas, name: str
) -> None:
    """Base and one component make a deployment that is right."""
    rendered("local-cluster")  # skips where nothing can be rendered
    base = OVERLAYS.parent
    # Kustomize reads relative folders only.
    up = "/".join([".."] * (len(tmp_path.parts) - 1))
    (tmp_path / "kustomization.yaml").write_text(
        f"namespace: dns-risk\nresources: [{up}{base}/base]\ncomponents: [{up}{base}/components/{name}]\n"
    )
    manifests = render(tmp_path)
    assert [*problems(manifests, schemas), *lint(manifests)] == []


def test_the_command_says_what_is_wrong(
    tmp_path: Path,
    rendered: Callable[[str], list[Manifest]],
    schemas: Schemas,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A finding is printed with its rule, and the status is 1."""
    rendered("local-cluster")
    up = "/".join([".."] * (len(tmp_path.parts) - 1))
    (tmp_path / "kustomization.yaml").write_text(
        f"namespace: dns-risk\nresources: [{up}{OVERLAYS}/local-cluster]\n"
        "images: [{name: dns-risk/transformer, newTag: latest}]\n"
    )
    assert main(["--without_crds", str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert "image-pinned: InferenceService dns-risk, transformer" in capsys.readouterr().out
    assert "dns-risk/transformer:latest" in next((tmp_path / "out").iterdir()).read_text()
    assert schemas is not None


def test_a_wrong_kustomization_is_told_in_kustomizes_words(tmp_path: Path) -> None:
    """An overlay that cannot be rendered fails with what kustomize says."""
    (tmp_path / "kustomization.yaml").write_text("resources: [absent.yaml]\n")
    with pytest.raises(RenderFailed, match=r"absent\.yaml|PATH"):
        render(tmp_path)


def test_without_schemas_it_says_where_they_are_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder is no set of schemas: status 2, and the document that helps."""
    monkeypatch.setenv("DNS_RISK_CRDS", str(tmp_path))
    assert main([]) == 2
    assert "docs/deploying.md" in capsys.readouterr().err
