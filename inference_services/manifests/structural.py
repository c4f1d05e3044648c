"""Structural schemas of custom resources as JSON Schema that refuses unknown fields.

The API server prunes what it does not know: a misspelt field is lost without a word. Here it is an error.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]


def closed(schema: Schema) -> Schema:
    """The same schema, closed, with Kubernetes' extensions written in JSON Schema's words.

    Objects with `properties` admit no others, unless `x-kubernetes-preserve-unknown-fields` says so;
    `x-kubernetes-int-or-string` and `nullable` become types. `metadata` stays open: Kubernetes' own
    schema is for that.

    >>> closed({"type": "object", "properties": {"port": {"x-kubernetes-int-or-string": True}}})
    {'type': 'object', 'properties': {'port': {'type': ['integer', 'string']}}, 'additionalProperties': False}
    """
    result = {key: _inner(key, value) for key, value in schema.items() if not key.startswith("x-kubernetes")}
    if schema.get("x-kubernetes-int-or-string"):
        # Its anyOf repeats the two types.
        result.pop("anyOf", None)
        result["type"] = ["integer", "string"]
    elif schema.get("nullable") and "type" in result:
        result["type"] = [result["type"], "null"]
    if "properties" in schema and not _open(schema):
        result["additionalProperties"] = False
    return result


def _open(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields")) or "additionalProperties" in schema


def _inner(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: closed(inner) for name, inner in value.items()}
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return closed(value)
    # In allOf, anyOf, oneOf and not, a schema states conditions, never the fields that there are.
    return value
