"""The client contract of the transformer, in front of a real predictor, with the clients that people use."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
import torch
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.grpc import service_pb2_grpc

from contract.blockable import why_never_blocked
from contract.tensors import ACTIONS, CATEGORIES, CLIENT_INPUTS, CLIENT_OUTPUTS, NOT_SCORED, RISK_MODEL
from predictor.checkpoint import load
from predictor.scorer import Scorer
from tests.checkpoints import MONITOR
from tests.services import metric, transformer
from tests.serving.server_process import REPOSITORY, ServerProcess
from tests.transformer.score_requests import (
    INFER,
    Columns,
    columns_of_message,
    document,
    message,
    same,
    score,
)
from transformer.featurize import featurize
from transformer.graph_store import GraphStore

NAMES = ["example.com", "www.shop.example.com", "never-seen.test", "http://no.name/", "edge.example.org"]
ANSWERS = ["", "A 11.0.2.1", "A 11.0.2.1, NS ns1.dns.example.net", "", "A nonsense"]


@pytest.fixture(scope="module")
def stub(service: ServerProcess) -> Iterator[Any]:
    """The transformer's inference service on gRPC."""
    with grpc.insecure_channel(service.grpc_target) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


@pytest.fixture(scope="module")
def expected(http: httpx.Client) -> Columns:
    """What v2 JSON answers for NAMES; the other paths must agree."""
    return score(http, NAMES, ANSWERS)


def test_rest_metadata_is_the_contract(http: httpx.Client) -> None:
    """REST describes the tensors of contract.tensors."""
    metadata = http.get(f"/v2/models/{RISK_MODEL}").json()
    assert metadata["inputs"] == [spec.metadata() for spec in CLIENT_INPUTS]
    assert metadata["outputs"] == [spec.metadata() for spec in CLIENT_OUTPUTS]


def test_grpc_metadata_is_the_contract(service: ServerProcess) -> None:
    """GRPC describes the same."""
    with triton_grpc.InferenceServerClient(service.grpc_target) as client:
        metadata = client.get_model_metadata(RISK_MODEL)
    for tensors, specs in ((metadata.inputs, CLIENT_INPUTS), (metadata.outputs, CLIENT_OUTPUTS)):
        told = [(tensor.name, tensor.datatype, tuple(tensor.shape)) for tensor in tensors]
        assert told == [(spec.name, spec.datatype, spec.shape) for spec in specs]


def test_scores_are_the_models(expected: Columns, store: Path, model_dir: Path) -> None:
    """The two services give what featurizer and model give in one process."""
    featurized = featurize(GraphStore(store).snapshot, NAMES, ANSWERS)
    assert featurized.graphs is not None
    model, _ = load(model_dir)
    scores = Scorer(model, torch.device("cpu")).launch([featurized.graphs]).result()
    rows = featurized.rows.tolist()
    np.testing.assert_allclose(np.array(expected["risk_score"])[rows], scores.risk_score, atol=1e-5)
    np.testing.assert_allclose(np.array(expected["category_scores"])[rows], scores.category_scores, atol=1e-5)
    assert expected["neighbours"] == featurized.neighbours.tolist()
    assert expected["status"] == featurized.statuses


def test_outputs_fit_together(expected: Columns) -> None:
    """Categories sum to one, risk is what is not benign, and action follows the model's thresholds."""
    for place in (0, 1, 2, 4):
        risk, scores = expected["risk_score"][place], expected["category_scores"][place]
        assert 0 <= risk <= 1
        assert sum(scores) == pytest.approx(1, abs=1e-5)
        assert risk == pytest.approx(1 - scores[0], abs=1e-5)
        assert expected["category"][place] in CATEGORIES
        # Of these names none is public, so none is ever blocked.
        action = ACTIONS[1] if risk >= MONITOR else ACTIONS[0]
        assert why_never_blocked(NAMES[place])
        assert expected["action"][place] == action


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "typed"])
def test_grpc_answers_as_rest_does(stub: Any, expected: Columns, raw: bool) -> None:
    """GRPC with raw and with typed contents gives the same columns."""
    names, answers = ([text.encode() for text in column] for column in (NAMES, ANSWERS))
    response = stub.ModelInfer(message(names, answers, raw=raw), timeout=20)
    same(columns_of_message(response), expected)


def test_binary_tensors_travel_both_ways(service: ServerProcess, expected: Columns) -> None:
    """tritonclient.http, which sends and receives binary tensors, gives the same columns."""
    inputs = [triton_http.InferInput(name, [len(NAMES)], "BYTES") for name in ("domain", "answers")]
    for tensor, column in zip(inputs, (NAMES, ANSWERS), strict=True):
        tensor.set_data_from_numpy(np.array([text.encode() for text in column], object), binary_data=True)
    outputs = [triton_http.InferRequestedOutput(spec.name, binary_data=True) for spec in CLIENT_OUTPUTS]
    with triton_http.InferenceServerClient(f"127.0.0.1:{service.rest_port}") as client:
        answer = client.infer(RISK_MODEL, inputs, outputs=outputs)
    columns = {spec.name: answer.as_numpy(spec.name).tolist() for spec in CLIENT_OUTPUTS}
    for name in ("category", "action", "status"):
        columns[name] = [text.decode() for text in columns[name]]
    same(columns, expected)


def test_tritons_grpc_client_scores(service: ServerProcess, expected: Columns) -> None:
    """tritonclient.grpc gives the same scores."""
    inputs = [triton_grpc.InferInput(name, [len(NAMES)], "BYTES") for name in ("domain", "answers")]
    for tensor, column in zip(inputs, (NAMES, ANSWERS), strict=True):
        tensor.set_data_from_numpy(np.array([text.encode() for text in column], object))
    with triton_grpc.InferenceServerClient(service.grpc_target) as client:
        answer = client.infer(RISK_MODEL, inputs)
    np.testing.assert_allclose(answer.as_numpy("risk_score"), expected["risk_score"], atol=1e-5)


def test_kserves_own_client_scores(service: ServerProcess, expected: Columns) -> None:
    """KServe's REST and gRPC clients, with JSON, binary and raw tensors, give the same scores."""
    command = [
        sys.executable,
        "-m",
        "tests.transformer.kserve_clients",
        service.rest_url,
        service.grpc_target,
    ]
    told = subprocess.run(
        command,
        cwd=REPOSITORY,
        input=json.dumps([NAMES, ANSWERS]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(told.stdout)
    assert sorted(answers) == ["grpc", "rest binary", "rest json"]
    for scores in answers.values():
        np.testing.assert_allclose(scores, expected["risk_score"], atol=1e-5)


def test_asked_outputs_come_in_their_order(http: httpx.Client) -> None:
    """`outputs` picks and orders, `id` comes back, on REST."""
    body = document(["example.com"], outputs=[{"name": "status"}, {"name": "risk_score"}], id="mine")
    answer = http.post(INFER, json=body).json()
    assert [output["name"] for output in answer["outputs"]] == ["status", "risk_score"]
    assert (answer["id"], answer["model_name"]) == ("mine", RISK_MODEL)
    assert answer["parameters"] == {"model_version": "test-1"}


def test_asked_outputs_come_in_their_order_on_grpc(stub: Any) -> None:
    """`outputs` picks and orders, `id` comes back, on gRPC."""
    request = message([b"example.com"])
    request.id = "mine"
    request.outputs.add(name="action")
    request.outputs.add(name="category")
    answer = stub.ModelInfer(request, timeout=20)
    assert [output.name for output in answer.outputs] == ["action", "category"]
    assert answer.id == "mine"
    assert answer.parameters["model_version"].string_param == "test-1"


LEGAL = [
    "example.com",
    "EXAMPLE.Com.",
    "_dmarc.example.com",
    "_sip._tcp.example.com",
    "localhost",
    "com",
    "github.io",
    "alice.github.io",
    "bücher.example",
    "xn--bcher-kva.example",
    "日本。co.jp",
    "-a-.example",
    "1.2.0.192.in-addr.arpa",
    "x" * 63 + ".example",
    ".".join(["a" * 61] * 4) + ".test",
    r"a\.b.example",
    "a.xn--b.paypal-secure-login.xyz",
    "xn--99999999.example",
    "XN--.example",
    "xn--\u00fc.example",
    "\u00ad.example",
    "*.duckdns.org",
    "128/26.2.0.192.in-addr.arpa",
    r"my\032printer\046local._ipp._tcp.example",
    r"user\@host.sip\:x.example",
    r"\255" * 63 + ".example",
    ".".join([r"\000" * 63] * 3 + [r"\254" * 61]),
    ".".join([r"\046"] * 127),
]
NO_NAMES = [
    "",
    ".",
    "a..b",
    "x" * 64 + ".example",
    "https://example.com/",
    "example.com:443",
    "two words.example",
    "me@example.com",
    "xn--\u0000.example",
    r"\000" * 64 + ".example",
    ".".join([r"\000"] * 127) + r"\000",
    "11.0.2.1",
    "3ffe:b00::1",
    ".".join(["a" * 62] * 4) + ".toolong",
    "\x00",
]


def test_every_legal_name_is_scored(http: httpx.Client) -> None:
    """Whatever its look, a name that is legal on the wire is scored."""
    columns = score(http, LEGAL)
    assert columns["status"] == ["ok"] * len(LEGAL)
    assert min(columns["risk_score"]) >= 0
    # The same name in another form.
    assert columns["risk_score"][0] == pytest.approx(columns["risk_score"][1], abs=1e-5)
    assert columns["risk_score"][8] == pytest.approx(columns["risk_score"][9], abs=1e-5)


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_says_why(http: httpx.Client, expected: Columns, name: str) -> None:
    """It gets a status and -1; its batch is scored as without it."""
    columns = score(http, [NAMES[0], name, NAMES[1]], [ANSWERS[0], "A 11.0.2.1", ANSWERS[1]])
    assert columns["status"][0] == columns["status"][2] == "ok"
    assert columns["status"][1] not in {"", "ok"}
    assert columns["risk_score"][1] == NOT_SCORED
    assert columns["category_scores"][1] == [NOT_SCORED] * 4
    assert (columns["category"][1], columns["action"][1], columns["neighbours"][1]) == ("", "allow", 0)
    for place, as_before in ((0, 0), (2, 1)):
        assert columns["risk_score"][place] == pytest.approx(expected["risk_score"][as_before], abs=1e-5)


def test_octets_that_are_no_text_are_scored_as_they_are(stub: Any) -> None:
    """GRPC may carry any bytes; those that are no UTF-8 are legal in a label and stand for themselves."""
    names = [b"\xff\xfe.example", rb"\255\254.EXAMPLE", b"example.com"]
    columns = columns_of_message(stub.ModelInfer(message(names), timeout=20))
    assert columns["status"] == ["ok"] * 3
    assert columns["risk_score"][0] == pytest.approx(columns["risk_score"][1], abs=1e-5)


def test_answers_connect_an_unseen_name(http: httpx.Client) -> None:
    """What the resolver just saw ties a new name to known infrastructure, for this request only."""
    alone = score(http, ["brand-new.test"])
    tied = score(http, ["brand-new.test"], ["A 11.0.2.1, NS ns1.dns.example.net"])
    assert alone["neighbours"] == [0]
    assert tied["neighbours"][0] > 2
    assert tied["risk_score"] != alone["risk_score"]
    same(score(http, ["brand-new.test"]), alone)


def test_unreadable_answers_are_ignored(http: httpx.Client) -> None:
    """The name is scored as without them, and the status says so."""
    columns = score(http, ["brand-new.test"] * 3, ["A nonsense", "MX mail.example", "A 11.0.2.1 and more"])
    assert [status[:17] for status in columns["status"]] == ["answers ignored: "] * 3
    alone = score(http, ["brand-new.test"])["risk_score"][0]
    np.testing.assert_allclose(columns["risk_score"], [alone] * 3, atol=1e-5)


def test_an_odd_record_leaves_the_others(http: httpx.Client) -> None:
    """One entry that cannot be used is left out and named; the score is that of the others."""
    good = "A 11.0.2.1, NS ns1.dns.example.net"
    alone = score(http, ["brand-new.test"], [good])
    for junk in ("NS .", "CNAME a..b", "NS 11.0.2.1", "CNAME brand-new.test", "A 0.0.0.0"):
        columns = score(http, ["brand-new.test"] * 2, [f"{junk}, {good}", f"{good}, {junk}"])
        np.testing.assert_allclose(columns["risk_score"], alone["risk_score"] * 2, atol=1e-5)
        assert columns["neighbours"] == alone["neighbours"] * 2
        assert all(status.startswith(f"answers ignored: '{junk}': ") for status in columns["status"])


def test_private_addresses_are_a_setting(risk_predictor: ServerProcess, store: Path) -> None:
    """Where the operator says so, an address of the own network may be evidence; elsewhere it is named."""
    for switch, status in ((True, "ok"), (False, "answers ignored: 'A 10.0.0.1': special-")):
        with (
            transformer(risk_predictor.grpc_port, store, private_addresses=switch) as process,
            httpx.Client(base_url=process.rest_url, timeout=20) as client,
        ):
            told = score(client, ["brand-new.test"], ["A 10.0.0.1"])
        assert told["status"][0].startswith(status)


def test_a_batch_scores_as_its_names_alone(http: httpx.Client) -> None:
    """Through both services a name scores the same in any company."""
    together = score(http, LEGAL)
    for place, name in enumerate(LEGAL):
        alone = score(http, [name])
        assert alone["risk_score"][0] == pytest.approx(together["risk_score"][place], abs=1e-5)


def test_no_names_are_no_error(http: httpx.Client, stub: Any) -> None:
    """A request of zero names is answered with six empty columns on both protocols."""
    columns = score(http, [])
    assert columns == {spec.name: [] for spec in CLIENT_OUTPUTS}
    assert columns_of_message(stub.ModelInfer(message([]), timeout=20)) == columns


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (document(["example.com"] * 257), "domain: expected at most 256 names a request, got 257"),
        (document(["a.test", "b.test"], [""]), "answers: expected one entry for each of 2 names, got 1"),
        (document([1]), "domain"),
        (document([None]), "domain"),
        ({"inputs": []}, "input domain: missing"),
        ({"inputs": [{"name": "domain", "datatype": "FP32", "shape": [1], "data": [1]}]}, "datatype BYTES"),
        ({"inputs": [{"name": "domain", "datatype": "BYTES", "shape": [2], "data": ["a"]}]}, "domain"),
        ({"inputs": [{"name": "domain", "datatype": "BYTES", "shape": [1, 1], "data": ["a"]}]}, "shape"),
        (document([["a.test"]]), "elements"),
        (document(["a.test"], outputs=[{"name": "score"}]), "output 'score'"),
    ],
)
def test_broken_requests_are_refused(http: httpx.Client, body: dict[str, Any], reason: str) -> None:
    """What breaks the contract is 400 and says what and where."""
    answer = http.post(INFER, json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_text_that_is_no_unicode_is_refused(http: httpx.Client) -> None:
    """Bytes that are no UTF-8, and half a surrogate pair, are 400."""
    good = json.dumps(document(["NAME"])).encode()
    for name in (b"\xff", b"\\ud800"):
        answer = http.post(INFER, content=good.replace(b"NAME", name))
        assert answer.status_code == 400
        assert "not valid JSON" in answer.json()["error"]


def test_broken_requests_are_refused_on_grpc(stub: Any) -> None:
    """The same on gRPC is INVALID_ARGUMENT."""
    for request, reason in (
        (message([b"a.test"] * 257), "at most 256 names"),
        (message([b"a.test"], [b"", b""]), "one entry for each of 1 names"),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            stub.ModelInfer(request, timeout=20)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason in refused.value.details()


def test_settings_decide_the_action(risk_predictor: ServerProcess, store: Path) -> None:
    """Thresholds of the settings override the model's, and the limit of names is a setting."""
    settings = {"monitor_threshold": 0, "block_threshold": 1, "max_domains": 2}
    with (
        transformer(risk_predictor.grpc_port, store, **settings) as process,
        httpx.Client(base_url=process.rest_url, timeout=20) as client,
    ):
        assert score(client, ["example.com", "never-seen.test"])["action"] == ["monitor"] * 2
        assert client.post(INFER, json=document(["a.test"] * 3)).status_code == 400


def test_metrics_count_names_by_outcome(service: ServerProcess, http: httpx.Client) -> None:
    """Names by outcome, feature and predictor time, and the snapshot's age and size are exported."""
    outcomes = [
        f'dns_risk_domains_total{{outcome="{o}"}}' for o in ("scored", "not_a_name", "answers_ignored")
    ]
    before = [metric(service, series) for series in outcomes]
    requests = metric(service, "dns_risk_feature_seconds_count")
    score(http, NAMES, ANSWERS)
    assert [metric(service, series) - was for series, was in zip(outcomes, before, strict=True)] == [3, 1, 1]
    assert metric(service, "dns_risk_feature_seconds_count") == requests + 1
    assert metric(service, "dns_risk_predictor_seconds_count") > 0
    assert metric(service, "dns_risk_snapshot_nodes") > 10
    assert metric(service, "dns_risk_snapshot_edges") > 10
    assert 0 < metric(service, "dns_risk_snapshot_age_seconds") < 3600


def test_metrics_tell_what_clients_were_told(service: ServerProcess, http: httpx.Client) -> None:
    """Each scored name is in the score histogram, and has one action and one category, of the model's version."""
    score(http, NAMES, ANSWERS)
    lines = httpx.get(f"{service.rest_url}/metrics", timeout=10).text.splitlines()

    def total(metric_name: str) -> float:
        return sum(float(line.split()[-1]) for line in lines if line.startswith(metric_name + "{"))

    count = total("dns_risk_score_count")
    assert count >= 3
    assert total("dns_risk_actions_total") == total("dns_risk_categories_total") == count
    assert all("model_version=" in line for line in lines if line.startswith("dns_risk_score_count"))
    assert total("dns_risk_build_info") == 1
