"""What the explainer answers, through real services and with the clients that people use."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jsonschema
import numpy as np
import pytest
import tritonclient.grpc as triton

from contract.feature_schema import FEATURE_SCHEMA
from contract.tensors import CLIENT_INPUTS, EXPLANATION, RISK_MODEL
from tests.explainer.conftest import Services
from tests.explainer.explain_requests import EXPLAIN, KNOWN, LONE, UNSEEN, body, explain, without_clock
from tests.services import metric
from tests.serving.server_process import REPOSITORY

SCHEMA = json.loads((REPOSITORY / "docs" / "explanation.schema.json").read_text())
REQUESTS = [(instance, method) for instance in (UNSEEN, KNOWN, LONE) for method in ("shap", "anchor")]


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("method", ["shap", "anchor"])
def test_answers_are_of_the_documented_schema(http: httpx.Client, method: str, graph: bool) -> None:
    """docs/explanation.schema.json describes every field, and no other comes: no raw samples, no headers."""
    headers = {"authorization": "Bearer secret-token", "x-request-id": "id-of-the-caller"}
    request = body(UNSEEN, KNOWN, LONE, method=method, graph=graph)
    answer = http.post(EXPLAIN, json=request, headers=headers)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer.json())
    assert [("graph" in each) for each in answer.json()["explanations"]] == [graph] * 3
    told = answer.text + str(dict(answer.headers))
    assert "secret-token" not in told
    assert "id-of-the-caller" not in told


def test_the_schema_refuses_what_is_not_documented(http: httpx.Client) -> None:
    """It can fail: an unknown field, a missing one and a wrong method are none of its answers."""
    [explanation] = explain(http, LONE)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    less = {name: value for name, value in explanation.items() if name != "summary"}
    for changed in (explanation | {"raw": []}, less, explanation | {"method": "anchor"}):
        assert not validator.is_valid({"explanations": [changed]})


def test_contributions_add_up_to_the_score_that_clients_get(http: httpx.Client, explained: Services) -> None:
    """base_value and all contributions are the score of `:predict`, to the digits that are answered."""
    predict = f"{explained.transformer.rest_url}/v1/models/{RISK_MODEL}:predict"
    scored = httpx.post(predict, json={"instances": [UNSEEN, KNOWN, LONE]}, timeout=30).json()["predictions"]
    for explanation, prediction in zip(explain(http, UNSEEN, KNOWN, LONE), scored, strict=True):
        total = explanation["base_value"] + sum(each["contribution"] for each in explanation["contributions"])
        assert total == pytest.approx(explanation["score"], abs=1e-9)
        assert explanation["score"] == pytest.approx(prediction["risk_score"], abs=6e-5)
        assert explanation["action"] == prediction["action"]
        assert explanation["domain"] == prediction["domain"]


@pytest.mark.parametrize("method", ["shap", "anchor"])
def test_a_name_of_any_octets_is_explained(http: httpx.Client, method: str) -> None:
    """The model sees its octets, and people its canonical text, however it was spelled."""
    spelled = {
        r"a\.b\000\255.verify\032login.TK": r"a\046b\000\255.verify\032login.tk",
        "a.xn--b.paypal-secure-login.xyz": "a.xn--b.paypal-secure-login.xyz",
        ".".join([r"\000" * 63] * 3 + [r"\254" * 61]): ".".join([r"\000" * 63] * 3 + [r"\254" * 61]),
    }
    answers = explain(http, *({"domain": name} for name in spelled), method=method, graph=True)
    assert [answer["domain"] for answer in answers] == list(spelled.values())
    assert [answer["graph"]["nodes"][0]["label"] for answer in answers] == list(spelled.values())
    jsonschema.Draft202012Validator(SCHEMA).validate({"explanations": answers})


def test_evidence_is_named(http: httpx.Client) -> None:
    """The address and the name server that the resolver saw are players, with what the graph knows of them."""
    [explanation] = explain(http, UNSEEN)
    texts = {each["value"]: each for each in explanation["contributions"] if each["kind"] == "neighbour"}
    assert texts.keys() == {"3ffe:b00::66", "ns1.bulletproof.test"}
    assert texts["3ffe:b00::66"]["relation"] == "resolves"
    assert "names resolve to" in texts["3ffe:b00::66"]["text"]
    assert texts["3ffe:b00::66"]["contribution"] > 0.1


def test_sizes_are_in_order(http: httpx.Client) -> None:
    """The largest contribution comes first, whatever its sign."""
    [explanation] = explain(http, KNOWN)
    sizes = [abs(each["contribution"]) for each in explanation["contributions"]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_rule_holds_for_its_own_domain(http: httpx.Client) -> None:
    """Numbers lie in their intervals, and precision is reached where the answer says that it is."""
    explanations = explain(http, UNSEEN, KNOWN, LONE, method="anchor", precision=0.9)
    # A score beside its threshold may take more conditions than a rule has.
    assert [explanation["met"] for explanation in explanations[1:]] == [True, True]
    for explanation in explanations:
        assert explanation["precision_wanted"] == 0.9
        assert not explanation["met"] or explanation["precision"] >= 0.9
        for condition in explanation["rule"]:
            if condition["value"] is not None:
                assert condition["low"] is None or condition["low"] < condition["value"]
                assert condition["high"] is None or condition["value"] <= condition["high"]


def test_the_graph_is_the_evidence(http: httpx.Client) -> None:
    """Nodes hold the domain first, its players once each, and every edge joins two of them."""
    [explanation] = explain(http, KNOWN, graph=True)
    nodes, edges = explanation["graph"]["nodes"], explanation["graph"]["edges"]
    assert nodes[0] == {"label": "www.wikipedia.org", "type": "domain", "players": []}
    players = [player for node in nodes for player in node["players"]]
    neighbours = [each["player"] for each in explanation["contributions"] if each["kind"] == "neighbour"]
    assert sorted(players) == sorted(neighbours)
    assert len({(edge["source"], edge["target"], edge["relation"]) for edge in edges}) == len(edges)
    beside = {edge["target"] for edge in edges if edge["source"] == 0}
    beside |= {edge["source"] for edge in edges if edge["target"] == 0}
    assert beside == {place for place, node in enumerate(nodes) if node["players"]}


@pytest.mark.parametrize(("instance", "method"), REQUESTS)
def test_the_same_request_gives_the_same_bytes(
    http: httpx.Client, instance: dict[str, Any], method: str
) -> None:
    """Asked again, the answer is the same to the byte apart from the milliseconds."""
    request = body(instance, method=method, graph=True)
    first, second = (http.post(EXPLAIN, json=request).content for _ in range(2))
    assert without_clock(first) == without_clock(second)


def test_explanations_at_once_do_not_disturb_one_another(http: httpx.Client) -> None:
    """Alibi's objects and numpy's random state are shared by nobody: 24 requests at once answer as alone."""
    alone = [explain(http, instance, method=method)[0] for instance, method in REQUESTS]
    with ThreadPoolExecutor(8) as callers:
        together = list(callers.map(lambda each: explain(http, each[0], method=each[1])[0], REQUESTS * 4))
    for first, second in zip(alone * 4, together, strict=True):
        assert first["method"] == second["method"]
        if first["method"] == "anchor":
            assert first["rule"] == second["rule"]
            continue
        assert [each["player"] for each in first["contributions"]] == [
            each["player"] for each in second["contributions"]
        ]
        gains = [[each["contribution"] for each in answer["contributions"]] for answer in (first, second)]
        np.testing.assert_allclose(*gains, atol=1.1e-4)


def test_the_seed_is_published_and_counts(http: httpx.Client) -> None:
    """Another seed is another search; both are told."""
    first, second = (explain(http, UNSEEN, method="anchor", seed=seed)[0] for seed in (1, 2))
    assert (first["seed"], second["seed"]) == (1, 2)
    assert first["cost"]["rows"] != second["cost"]["rows"] or first["rule"] != second["rule"]


def test_versions_are_told(http: httpx.Client, explained: Services) -> None:
    """Model, explainer, features and snapshot say what the explanation is of."""
    [explanation] = explain(http, LONE)
    served = httpx.get(f"{explained.explainer.rest_url}/v2/models/{RISK_MODEL}", timeout=10).json()
    assert explanation["model_version"] == "2"
    assert explanation["explainer_version"] == served["versions"][0]
    assert explanation["feature_schema"] == FEATURE_SCHEMA
    assert explanation["graph_snapshot"].startswith("20")


def test_unreadable_answers_are_said(http: httpx.Client) -> None:
    """The name is explained without them, as it is scored without them, and the status says so."""
    [explanation] = explain(http, LONE | {"answers": "A nonsense"})
    assert explanation["status"].startswith("answers ignored: ")
    assert explain(http, LONE)[0]["contributions"] == explanation["contributions"]


def test_no_instance_no_explanation(http: httpx.Client) -> None:
    """An empty list is answered with one."""
    assert explain(http) == []


def test_grpc_explains_the_same(explained: Services, http: httpx.Client) -> None:
    """Over v2 gRPC each explanation is one JSON object in a BYTES tensor, the same as over v1."""
    columns = {"domain": [UNSEEN["domain"], LONE["domain"]], "answers": [UNSEEN["answers"], ""]}
    inputs = []
    for name, values in columns.items():
        tensor = triton.InferInput(name, [len(values)], "BYTES")
        tensor.set_data_from_numpy(np.array([value.encode() for value in values], object))
        inputs.append(tensor)
    with triton.InferenceServerClient(explained.explainer.grpc_target) as client:
        answer = client.infer(RISK_MODEL, inputs, parameters={"method": "anchor", "seed": 3})
        metadata = client.get_model_metadata(RISK_MODEL)
    told = [json.loads(text) for text in answer.as_numpy(EXPLANATION.name)]
    expected = explain(http, UNSEEN, LONE, method="anchor", seed=3)
    for each in (*told, *expected):
        each["cost"].pop("milliseconds")
    assert told == expected
    assert [tensor.name for tensor in metadata.inputs] == [spec.name for spec in CLIENT_INPUTS]
    assert [tensor.name for tensor in metadata.outputs] == [EXPLANATION.name]


def test_explanations_are_counted(http: httpx.Client, explained: Services) -> None:
    """Metrics count explanations with their rows, by method."""
    series = 'dns_risk_explanation_rows_sum{method="shap"}'
    before = metric(explained.explainer, series)
    [explanation] = explain(http, LONE)
    assert metric(explained.explainer, series) == before + explanation["cost"]["rows"]
    assert metric(explained.explainer, "dns_risk_explanations_waiting") == 0
