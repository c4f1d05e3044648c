"""No silent skew: versions, settings and model of what works together, and those of this code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from contract.feature_schema import FEATURE_SCHEMA
from contract.version import CONTRACT_VERSION
from inference_services.machine import SERVICES
from inference_services.manifests.pods import Pods, name_of, of_kind, serving_pods
from inference_services.manifests.render import Manifest
from serving.settings import ENV_PREFIX, SETTING_OF_FLAG

Wrong = Iterator[tuple[str, str]]

_STATED: Final = {"CONTRACT_VERSION": CONTRACT_VERSION, "FEATURE_SCHEMA": FEATURE_SCHEMA}


def contract_stated(manifests: Sequence[Manifest]) -> Wrong:
    """Every service is told the contract and the features that its manifest was written for: this code's."""
    for pods in serving_pods(manifests):
        env = pods.env()
        for name, value in _STATED.items():
            stated = env.get(ENV_PREFIX + name)
            if stated != value:
                yield pods.owner, f"{ENV_PREFIX}{name} is {stated}, this code's is {value}"


def one_contract(manifests: Sequence[Manifest]) -> Wrong:
    """Stable and canary are annotated with one contract: a rollout compares like with like."""
    for service in of_kind(manifests, "InferenceService"):
        annotations = service["metadata"].get("annotations", {})
        for name, value in _STATED.items():
            key = f"dns-risk/{name.lower().replace('_', '-')}"
            if annotations.get(key) != value:
                yield name_of(service), f"annotation {key} is {annotations.get(key)}, this code's is {value}"


def settings_known(manifests: Sequence[Manifest]) -> Wrong:
    """Each DNS_RISK_* variable is a setting of its service, with a value that it takes."""
    for pods in serving_pods(manifests):
        kind = SERVICES[pods.component]
        values = {
            name.removeprefix(ENV_PREFIX).lower(): value
            for name, value in pods.env().items()
            if name.startswith(ENV_PREFIX)
        }
        unknown = sorted(set(values) - set(kind.model_fields))
        yield from (
            (pods.owner, f"{ENV_PREFIX}{name.upper()} is no setting of the {pods.component}")
            for name in unknown
        )
        try:
            kind(**{name: value for name, value in values.items() if name not in unknown})  # type: ignore[arg-type]
        except ValidationError as error:
            for problem in error.errors():
                yield pods.owner, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"


def ports_agree(manifests: Sequence[Manifest]) -> Wrong:
    """The container ports are those that the service listens on."""
    for pods in serving_pods(manifests):
        listening = _listening(pods)
        if not set(pods.ports()) <= set(listening):
            yield pods.owner, f"declares ports {pods.ports()}, listens on {listening}"


def _listening(pods: Pods) -> list[int]:
    flags = {SETTING_OF_FLAG.get(name, name): value for name, value in pods.flags().items()}
    env = pods.env()
    defaults = {"rest_port": "8080", "grpc_port": "8081"}
    return [int(flags.get(n, env.get(f"{ENV_PREFIX}{n.upper()}", d))) for n, d in defaults.items()]


def one_model(manifests: Sequence[Manifest]) -> Wrong:
    """The explainer has the model version that the predictor serves."""
    for service in of_kind(manifests, "InferenceService"):
        served = service["spec"]["predictor"].get("model", {}).get("storageUri")
        for pods in serving_pods([service]):
            if pods.component == "explainer" and pods.env().get("STORAGE_URI") != served:
                yield pods.owner, f"STORAGE_URI is {pods.env().get('STORAGE_URI')}, the predictor's {served}"


def one_release(manifests: Sequence[Manifest]) -> Wrong:
    """The images of one InferenceService are of one release."""
    by_service: dict[str, set[str]] = {}
    for pods in serving_pods(manifests):
        image = str(pods.container.get("image", ""))
        if "@" not in image:
            release = image.rpartition(":")[2].removesuffix("-cuda")
            by_service.setdefault(pods.isvc, set()).add(release)
    for isvc, releases in by_service.items():
        if len(releases) > 1:
            yield f"InferenceService {isvc}", f"images of releases {sorted(releases)}"


RULES = (contract_stated, one_contract, settings_known, ports_agree, one_model, one_release)
