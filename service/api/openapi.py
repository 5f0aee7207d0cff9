"""The OpenAPI 3.1 document, made of the table of routes and the models of bodies and resources."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from service import __version__
from service.api.flow_resources import FLOWS_SHOWN
from service.api.resources import SHOWN
from service.api.route import Route
from service.calls.ids import lowest

_REF = "#/components/schemas/{model}"
_ALWAYS = (401, 403, 429, 500, 503)
_MEANING = {
    400: "The body is not JSON, or the cursor is not one of ours.",
    401: "No key, or an unknown one.",
    403: "The key lacks the scope.",
    404: "There is no such resource.",
    409: "It conflicts with what is there.",
    413: "The body is too large.",
    422: "The body or the query has faults; all are named.",
    429: "A limit is reached; `Retry-After` says for how long.",
    500: "The server failed.",
    503: "Redis or Asterisk is away.",
}


def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """The document as JSON's values."""
    bodies = {r.body for r in routes if r.body is not None}
    named: list[tuple[type[BaseModel], JsonSchemaMode]] = [(m, "serialization") for m in (*SHOWN, *FLOWS_SHOWN)]
    named += [(m, "validation") for m in sorted(bodies, key=lambda m: m.__name__)]
    _, definitions = models_json_schema(named, ref_template=_REF)
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(f"/v1{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orbit Voice",
            "version": __version__,
            "description": "A self-hosted Voice API. The same API stands under `/api/v1`.",
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    statuses = {*_ALWAYS, *route.errors}
    statuses |= {404} if "{" in route.path else set()
    statuses |= {400, 413, 422} if route.body is not None else set()
    statuses |= {400, 422} if route.query is not None else set()
    statuses |= {409, 422} if route.method == "POST" else set()
    operation: dict[str, Any] = {
        "operationId": f"{route.handler.__module__.rsplit('.', 1)[-1]}.{route.handler.__name__}",
        "tags": [route.path.split("/")[-1 if route.path.count("/") == 1 else 1 if "voice" not in route.path else 2]],
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": {
            str(route.status): _success(route),
            **{
                str(s): {"description": _MEANING[s], "content": {"application/json": {"schema": _ref("Error")}}}
                for s in sorted(statuses)
            },
        },
    }
    if route.body is not None:
        schema = _ref(route.body.__name__)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif route.takes:
        sound = {"type": "string", "format": "binary"}
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": sound} for kind in route.takes}}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    if route.query is not None:
        schema = route.query.model_json_schema(ref_template=_REF)
        for name, described in schema["properties"].items():
            inline = schema.get("$defs", {}).get(_reference(described), None)
            found = {"enum": inline["enum"], "type": "string"} if inline else _without_null(described)
            parameters.append(
                {"name": name, "in": "query", "description": described.get("description", ""), "schema": found}
            )
    if route.method == "POST":
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "the first answer is kept for 24 hours and given again",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    return parameters


def _reference(described: dict[str, Any]) -> str | None:
    for choice in described.get("anyOf", [described]):
        if "$ref" in choice:
            return str(choice["$ref"]).rsplit("/", 1)[-1]
    return None


def _without_null(described: dict[str, Any]) -> dict[str, Any]:
    """A query's field is there or not; it is never null."""
    choices = [c for c in described.get("anyOf", [described]) if c.get("type") != "null"]
    return {k: v for k, v in choices[0].items() if k not in ("title", "default")}


def _success(route: Route) -> dict[str, Any]:
    if route.status == 204:
        return {"description": "Done."}
    if "/" in route.shows:
        return {
            "description": "The sound.",
            "content": {route.shows: {"schema": {"type": "string", "format": "binary"}}},
        }
    shown = _ref(route.shows)
    data: dict[str, Any] = {"type": "array", "items": shown} if route.many else shown
    meta: dict[str, Any] = _ref("Meta")
    if route.many:
        paged = {"type": "object", "properties": {"pagination": _ref("Pagination")}, "required": ["pagination"]}
        meta = {"allOf": [meta, paged]}
    schema = {"type": "object", "properties": {"data": data, "meta": meta}, "required": ["data", "meta"]}
    answer: dict[str, Any] = {"description": "Done.", "content": {"application/json": {"schema": schema}}}
    if "{" not in route.path and route.status == 201:
        answer["headers"] = {"X-Request-Id": {"schema": {"type": "string", "examples": [lowest("req", 0)]}}}
    return answer


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REF.format(model=name)}
