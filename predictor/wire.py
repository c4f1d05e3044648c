"""gRPC requests without a task: recognised in their message, queued, answered from a template.

The generated classes come as `messages`: KServe's and tritonclient's cannot be loaded into one process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from contract.errors import InvalidTensors, RiskError
from contract.graphs import GRAPH_OUTPUTS
from contract.tensors import TensorSpec
from predictor.raw_graphs import RawGraphs, cut, written_as
from predictor.scorer import Scores
from serving.model import InferAnswer, Parameters, RawCall, RiskModel
from serving.protobuf_bytes import varint
from serving.tensor_contract import OutputRequest
from serving.v2_message import fill_response, parameters_of

# Heads of messages that were read before; a client's are all the same unless each has an id of its own.
_REMEMBERED_HEADS: Final = 1024
_LONGEST_HEAD: Final = 4096
_RAW_OUTPUT_TAG: Final = b"\x32"


class RawAnswer:
    """Where the batcher puts the scores of a request that nobody awaits; has what it needs of a future."""

    __slots__ = ("_call", "_request_id", "_writer")

    def __init__(self, call: RawCall, request_id: str, writer: AnswerWriter) -> None:
        self._call = call
        self._request_id = request_id
        self._writer = writer

    def done(self) -> bool:
        """Whether the call was answered, or its caller has gone."""
        return self._call.caller_gone()

    def set_result(self, scores: Scores) -> None:
        """Answer."""
        self._call.answer(self._writer.message(scores), self._request_id)

    def set_exception(self, error: RiskError) -> None:
        """Refuse."""
        self._call.fail(error)


class AnswerWriter:
    """Answers to requests for all outputs, as bytes around the scores."""

    def __init__(self, model: RiskModel, parameters: Parameters, messages: Any) -> None:
        self._model = model
        self._messages = messages
        self._parameters = dict(parameters)
        self._template = lru_cache(maxsize=1024)(self._new_template)

    def message(self, scores: Scores) -> bytes:
        """A serialized ModelInferResponse without its id."""
        parts = zip(
            self._template(len(scores.risk_score)),
            (scores.category_scores, scores.risk_score, scores.name_score),
            strict=True,
        )
        return b"".join(piece for before, values in parts for piece in (before, values.tobytes()))

    def _new_template(self, graphs: int) -> tuple[bytes, ...]:
        """What stands before the scores of each output, from a whole answer of such a size."""
        outputs = {spec.name: _zeros(spec, graphs) for spec in GRAPH_OUTPUTS}
        response = self._messages.ModelInferResponse()
        answer = InferAnswer(outputs, dict(self._parameters))
        fill_response(response, self._model, "", answer, tuple(map(OutputRequest, GRAPH_OUTPUTS)))
        sizes = [len(raw) for raw in response.raw_output_contents]
        del response.raw_output_contents[:]
        first, *others = (_RAW_OUTPUT_TAG + varint(size) for size in sizes)
        return response.SerializeToString() + first, *others


def _zeros(spec: TensorSpec, graphs: int) -> np.ndarray:
    return np.zeros([graphs if axis < 0 else axis for axis in spec.shape], spec.dtype)


class GraphRequests:
    """Recognises the requests for one model that `raw_graphs` can cut apart."""

    def __init__(self, model: RiskModel, parameters: Parameters, messages: Any) -> None:
        """Recognise requests with exactly these parameters.

        Args:
            model: whose name and version are accepted.
            parameters: request parameters.
            messages: the module of the v2 protocol's generated classes.
        """
        self._model = model
        self._expected = dict(parameters)
        self._read = messages.ModelInferRequest.FromString
        self._request_id = lru_cache(maxsize=_REMEMBERED_HEADS)(self._read_head)

    def recognise(self, message: bytes) -> tuple[RawGraphs, str] | None:
        """The graphs of a serialized ModelInferRequest and its id; None leaves it to the general path."""
        try:
            parts = list(self._read(message).raw_input_contents)
        except DecodeError:
            return None
        raw = cut(parts)
        if raw is None:
            return None
        declared, raw_bytes = written_as(raw)
        head = len(message) - raw_bytes - len(declared)
        if not 0 <= head <= _LONGEST_HEAD or not message.startswith(declared, head):
            return None
        request_id = self._request_id(message[:head])
        return None if request_id is None else (raw, request_id)

    def _read_head(self, head: bytes) -> str | None:
        """The request id of a head for this model with the right features and nothing else."""
        try:
            request = self._read(head)
            parameters = parameters_of(request)
        except (DecodeError, InvalidTensors):
            return None
        if request.model_name != self._model.name or request.model_version not in {"", self._model.version}:
            return None
        if request.inputs or request.outputs or request.raw_input_contents:
            return None
        given: str = request.id
        return given if parameters == self._expected else None
