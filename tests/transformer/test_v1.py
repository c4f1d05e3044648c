"""The v1 protocol, its mapping alone and through a real server."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from contract.errors import InvalidTensors
from contract.tensors import CATEGORIES, CLIENT_OUTPUTS
from serving.model import InferAnswer
from serving.v1_instances import tensors_of_instances
from tests.transformer.score_requests import PREDICT, score
from transformer.v1 import predictions


def test_instances_are_columns() -> None:
    """Each instance is a row; answers that are missing beside others are empty."""
    instances = [{"domain": "a.test", "answers": "A 11.0.2.1"}, {"domain": "bücher.example"}]
    columns = tensors_of_instances({"instances": instances})
    assert columns["domain"].tolist() == [b"a.test", "bücher.example".encode()]
    assert columns["answers"].tolist() == [b"A 11.0.2.1", b""]


def test_no_answers_are_no_column() -> None:
    """Without any answers the optional tensor is absent; without instances the other is empty."""
    assert list(tensors_of_instances({"instances": [{"domain": "a.test"}]})) == ["domain"]
    assert len(tensors_of_instances({"instances": []})["domain"]) == 0


def test_answers_that_are_null_are_none() -> None:
    """What may be left out may be null, as in v2."""
    instances = [{"domain": "a.test", "answers": None}, {"domain": "b.test", "answers": "A 192.0.2.1"}]
    assert tensors_of_instances({"instances": instances})["answers"].tolist() == [b"", b"A 192.0.2.1"]
    assert list(tensors_of_instances({"instances": instances[:1]})) == ["domain"]


MALFORMED: dict[str, tuple[Any, str]] = {
    "no instances": ({}, "instances: expected a list of objects, got NoneType"),
    "inputs": ({"inputs": [{"domain": "a.test"}]}, "instances: expected a list of objects"),
    "object": ({"instances": {"domain": "a.test"}}, "instances: expected a list of objects, got dict"),
    "names": ({"instances": ["a.test"]}, "instances[0]: expected an object, got str"),
    "lists": ({"instances": [["a.test"]]}, "instances[0]: expected an object, got list"),
    "empty": ({"instances": [{}]}, "instances[0]: expected the key domain, got none"),
    "answers alone": ({"instances": [{"answers": ""}]}, "instances[0]: expected the key domain, got none"),
    "unknown key": (
        {"instances": [{"domain": "a.test"}, {"domain": "b.test", "ip": "11.0.2.1"}]},
        "instances[1]: expected the keys domain and answers, got 'ip'",
    ),
    "long key": ({"instances": [{"domain": "a.test", "x" * 5000: ""}]}, "got 'xxxx"),
    "number": ({"instances": [{"domain": 7}]}, "instances[0].domain: expected a string, got int"),
    "null": ({"instances": [{"domain": None}]}, "instances[0].domain: expected a string, got NoneType"),
    "answers list": (
        {"instances": [{"domain": "a.test", "answers": ["A 11.0.2.1"]}]},
        "instances[0].answers: expected a string, got list",
    ),
    "too many": ({"instances": [{"domain": "a.test"}] * 257}, "domain: expected at most 256 names"),
}


@pytest.mark.parametrize("case", [case for case in MALFORMED if case != "too many"])
def test_malformed_instances_are_refused(case: str) -> None:
    """What is not of the documented form is refused with its place."""
    body, reason = MALFORMED[case]
    with pytest.raises(InvalidTensors) as refused:
        tensors_of_instances(body)
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 200


def test_predictions_are_rows() -> None:
    """Each name has one object with every output, categories by name, and texts as texts."""
    answer = InferAnswer(
        {
            "risk_score": np.array([0.75], np.float32),
            "category_scores": np.array([[0.25, 0, 0.5, 0.25]], np.float32),
            "status": np.array([b"ok"], object),
        },
        {"model_version": "7"},
    )
    assert predictions(np.array([b"a.test"], object), answer) == {
        "predictions": [
            {
                "risk_score": 0.75,
                "category_scores": {"benign": 0.25, "dga": 0.0, "malware": 0.5, "phishing": 0.25},
                "status": "ok",
                "domain": "a.test",
            }
        ],
        "model_version": "7",
    }


def test_predict_answers_as_infer_does(http: httpx.Client) -> None:
    """Through the server, v1 gives the scores of v2 under the same names."""
    names, answers = ["example.com", "no name", "never-seen.test"], ["", "", "A 11.0.2.1"]
    instances = [{"domain": name, "answers": text} for name, text in zip(names, answers, strict=True)]
    answer = http.post(PREDICT, json={"instances": instances})
    assert answer.status_code == 200
    columns = score(http, names, answers)
    for place, prediction in enumerate(answer.json()["predictions"]):
        assert set(prediction) == {"domain", *(spec.name for spec in CLIENT_OUTPUTS)}
        assert prediction["domain"] == names[place]
        assert prediction["risk_score"] == pytest.approx(columns["risk_score"][place], abs=1e-5)
        assert list(prediction["category_scores"]) == list(CATEGORIES)
        for name in ("category", "action", "neighbours", "status"):
            assert prediction[name] == columns[name][place]
    assert answer.json()["model_version"] == "test-1"


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_requests_are_400(http: httpx.Client, case: str) -> None:
    """The same refusals come out of the server as 400."""
    body, reason = MALFORMED[case]
    answer = http.post(PREDICT, json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"instances": "\xff"}', b'{"instances": [NaN]}']
)
def test_what_is_no_json_object_is_400(http: httpx.Client, body: bytes) -> None:
    """A body that is no JSON object in UTF-8 is refused."""
    answer = http.post(PREDICT, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_names_that_are_no_bytes_come_back(http: httpx.Client) -> None:
    """Zero instances are no error, and odd names come back as they were sent."""
    assert http.post(PREDICT, json={"instances": []}).json()["predictions"] == []
    odd = "\x00 bücher\n"
    assert http.post(PREDICT, json={"instances": [{"domain": odd}]}).json()["predictions"][0]["domain"] == odd


def test_there_is_no_other_verb(http: httpx.Client) -> None:
    """Verbs that the transformer does not offer are 404."""
    assert http.post(PREDICT.replace("predict", "explain"), json={"instances": []}).status_code == 404
