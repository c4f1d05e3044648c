"""Every refusal, with the status its caller sees on REST and gRPC.

RiskError
  InvalidTensors         400  INVALID_ARGUMENT     the request breaks the contract
  UnknownModel           404  NOT_FOUND            no such model or version here
  FeatureSchemaMismatch  409  FAILED_PRECONDITION  the sender built other features
  RequestTooLarge        413  RESOURCE_EXHAUSTED   more bytes than the server reads
  Overloaded             429  RESOURCE_EXHAUSTED   the queue is full: back off
  CallerGone             499  CANCELLED            nobody waits for the answer
  ScoringFailed          500  INTERNAL             the model raised
  PredictorUnavailable   503  UNAVAILABLE          downstream is away, or draining
  DeadlineExceeded       504  DEADLINE_EXCEEDED    waited longer than the caller wanted
"""

from __future__ import annotations

from typing import ClassVar


class RiskError(Exception):
    """Root of the tree; ``str(error)`` is the message the caller reads."""

    http_status: ClassVar[int] = 500
    grpc_status: ClassVar[str] = "INTERNAL"


class InvalidTensors(RiskError):
    """The request breaks the contract: says which tensor, what was expected, what came."""

    http_status = 400
    grpc_status = "INVALID_ARGUMENT"


class UnknownModel(RiskError):
    """The server has no model of this name, or not this version of it."""

    http_status = 404
    grpc_status = "NOT_FOUND"


class FeatureSchemaMismatch(RiskError):
    """The sender built its features by another schema than the model was trained on."""

    http_status = 409
    grpc_status = "FAILED_PRECONDITION"


class RequestTooLarge(RiskError):
    """The request holds more bytes than the server is set to read."""

    http_status = 413
    grpc_status = "RESOURCE_EXHAUSTED"


class Overloaded(RiskError):
    """The queue is full; nothing was started, so the caller may try again later."""

    http_status = 429
    grpc_status = "RESOURCE_EXHAUSTED"


class CallerGone(RiskError):
    """The caller disconnected or cancelled before its turn came; the answer has no reader."""

    http_status = 499
    grpc_status = "CANCELLED"


class ScoringFailed(RiskError):
    """The model raised on this batch; the same request may succeed elsewhere."""

    http_status = 500
    grpc_status = "INTERNAL"


class PredictorUnavailable(RiskError):
    """The service downstream cannot be reached, is not ready, or is draining."""

    http_status = 503
    grpc_status = "UNAVAILABLE"


class DeadlineExceeded(RiskError):
    """The caller's deadline passed before an answer was there."""

    http_status = 504
    grpc_status = "DEADLINE_EXCEEDED"


ERRORS: tuple[type[RiskError], ...] = (
    InvalidTensors,
    UnknownModel,
    FeatureSchemaMismatch,
    RequestTooLarge,
    Overloaded,
    CallerGone,
    ScoringFailed,
    PredictorUnavailable,
    DeadlineExceeded,
)
