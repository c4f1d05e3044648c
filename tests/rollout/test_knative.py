"""Knative mode: one InferenceService, a percentage on its predictor, revisions as versions."""

from __future__ import annotations

from typing import Any

import pytest

from rollout.cluster import Cluster
from rollout.controller import Controller
from rollout.knative import Knative, knative_patch
from rollout.policy import read_policy
from rollout.prometheus import Prometheus
from rollout.state import Phase
from rollout.target import Refused
from tests.kube_api.process import kube_api
from tests.rollout.conftest import QUICK, rendered
from tests.rollout.samples import CANARY, STABLE, state


def service(**predictor: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "dns-risk"},
        "spec": {
            "predictor": {"model": {"storageUri": STABLE.model_uri}, **predictor},
            "explainer": {"containers": [{"env": [{"name": "STORAGE_URI", "value": STABLE.model_uri}]}]},
        },
    }


def test_each_phase_has_its_percentage() -> None:
    """None at first, the step's, all while promoting; the explainer follows at the end only."""
    patches = {
        phase: knative_patch(service(), state(phase, mode="knative"))["spec"]
        for phase in (Phase.PREPARING, Phase.STEPPING, Phase.PROMOTING, Phase.DONE)
    }
    percents = {phase: patch["predictor"].get("canaryTrafficPercent") for phase, patch in patches.items()}
    assert percents == {Phase.PREPARING: 0, Phase.STEPPING: 5, Phase.PROMOTING: 100, Phase.DONE: None}
    assert {patch["predictor"]["model"]["storageUri"] for patch in patches.values()} == {CANARY.model_uri}
    assert "explainer" not in patches[Phase.STEPPING]
    assert patches[Phase.DONE]["explainer"]["containers"][0]["env"][0]["value"] == CANARY.model_uri


def test_taken_back_the_old_revision_has_all_traffic() -> None:
    """KServe keeps the previous revision at 100 where the new one has 0."""
    there = service(model={"storageUri": CANARY.model_uri}, canaryTrafficPercent=25)
    patch = knative_patch(there, state(Phase.ABORTING, mode="knative"))
    assert patch == {"spec": {"predictor": {"canaryTrafficPercent": 0}}}
    done = service(model={"storageUri": CANARY.model_uri}, canaryTrafficPercent=0)
    assert knative_patch(done, state(Phase.ABORTED, mode="knative")) == {}


def test_a_rollout_on_knative_patches_and_looks_by_revision(tmp_path: Any) -> None:
    """From the overlay's objects: the percentage goes up when the new revision is ready, and the selectors follow."""
    (tmp_path / "policy.toml").write_text(QUICK)
    with kube_api(tmp_path) as api:
        api.create(rendered("production-knative"))
        cluster = Cluster("dns-risk", str(api.kubeconfig))
        policy = read_policy(tmp_path / "policy.toml")
        controller = Controller(cluster, Prometheus("http://127.0.0.1:9"), policy, "dns-risk")
        with pytest.raises(Refused, match="no mirror"):
            controller.start(CANARY, (50, 100), (20, 60.0))
        begun = controller.start(CANARY, (50, 100))
        assert begun.mode == "knative"
        predictor = api.get("InferenceService", "dns-risk")["spec"]["predictor"]
        assert (predictor["model"]["storageUri"], predictor["canaryTrafficPercent"]) == (CANARY.model_uri, 0)
        target = Knative(cluster, "dns-risk")
        assert not target.look(begun).canary_ready
        revisions = {
            "latestCreatedRevision": "r2",
            "latestReadyRevision": "r2",
            "latestRolledoutRevision": "r1",
        }
        generation = api.get("InferenceService", "dns-risk")["metadata"]["generation"]
        status = {
            "observedGeneration": generation,
            "conditions": [{"type": "Ready", "status": "True"}],
            "components": {"predictor": revisions},
        }
        api.patch("InferenceService", "dns-risk", {"status": status}, status=True)
        sight = target.look(begun)
        assert (sight.canary_ready, sight.in_place) == (True, True)
        stable, canary = target.versions(begun)
        assert ('revision="r1"' in stable.requests, 'revision="r2"' in canary.requests) == (True, True)
        cluster.close()
