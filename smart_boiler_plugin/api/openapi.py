"""The OpenAPI description of the plugin's API, made from its routes and schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from smart_boiler_plugin.api.docs import PREFIX
from smart_boiler_plugin.api.schemas import ErrorSchema

ERRORS = {
    400: "The body is no JSON.",
    401: "No valid token or session.",
    403: "No right to create accounts, or it is not the caller's to change: a household's is comfort and language, an "
    "operator's its own tariffs.",
    404: "The caller has no customer or tariff with this id, or no job or device token.",
    409: "A name or e-mail exists on this server, whoever owns it; the tariff is in another currency, or is in use; "
    "the user has a password already; or too much is waiting.",
    413: "The body is too long.",
    415: "The body is in another format.",
    422: "A field is missing or wrong, in what was sent or in what is stored; the message names it.",
    429: "Too many requests; Retry-After says when to try again.",
    503: "The server's database or Redis gives no answer; Retry-After says when to try again.",
}


PATH_SCHEMAS = {
    "int": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "uuid": {"type": "string", "format": "uuid"},
    "string": {"type": "string", "minLength": 1},
}
"""Of what stands in a path, by its kind there."""


class View(Protocol):
    """A function that answers a request."""

    __name__: str
    __doc__: str | None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102
        ...


@dataclass(frozen=True)
class Route:
    """A method and path that lead to a view, and what goes in and comes out.

    Parameters
    ----------
    method, path, view
        What leads where.
    answers
        Schema of the answer by HTTP code.
    errors
        HTTP codes of ``ERRORS`` that are possible.
    documented
        Whether it is described.
    also_csv
        Whether it answers in CSV to whoever accepts that.
    largest
        How long a body may be [bytes]; 0 means the usual (``bodies.LARGEST``).

    """

    method: str
    path: str
    view: View
    answers: Mapping[int, Schema | dict[str, Any]] = field(default_factory=dict)
    errors: Iterable[int] = ()
    documented: bool = True
    also_csv: bool = False
    largest: int = 0

    @property
    def body(self) -> Schema | None:
        """Schema of the body, as the view states it (``guards.takes``)."""
        return getattr(self.view, "taken_body", None)

    @property
    def query(self) -> Schema | None:
        """Schema of the query, likewise."""
        return getattr(self.view, "taken_query", None)


def describe(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Return the OpenAPI description of routes."""
    spec = APISpec(
        title="smart-boiler-plugin",
        version=version,
        openapi_version="3.1.0",
        info={"description": "Customers with smart boilers, on a FlexMeasures server."},
        plugins=[MarshmallowPlugin()],
        security=[{"token": []}],
    )
    spec.components.security_scheme(
        "token",
        {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "/api/requestAuthToken; for set-points, now and readings also 'Bearer' and a device token.",
        },
    )
    for route in routes:
        if route.documented:
            path = re.sub(r"<[^:>]*:?(\w+)>", r"{\1}", PREFIX + route.path)
            spec.path(path, operations={route.method.lower(): _operation(route)})
    described: dict[str, Any] = spec.to_dict()
    return described


def _content(schema: Schema | dict[str, Any], *, csv: bool) -> dict[str, Any]:
    """Return an answer's formats."""
    return {"application/json": {"schema": schema}, **({"text/csv": {"schema": {"type": "string"}}} if csv else {})}


def _operation(route: Route) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "in": "path",
            "name": name,
            "required": True,
            "schema": PATH_SCHEMAS[kind],
        }
        for kind, name in re.findall(r"<(\w+):(\w+)>", route.path)
    ]
    if route.query:
        parameters.append({"in": "query", "schema": route.query})
    responses: dict[str, Any] = {
        str(code): {
            "description": "Done.",
            "content": _content(schema, csv=route.also_csv),
        }
        for code, schema in route.answers.items()
    }
    # wherever the database is asked
    for code in (*route.errors, 503) if route.errors else ():
        responses[str(code)] = {
            "description": ERRORS[code],
            "content": {"application/json": {"schema": ErrorSchema()}},
        }
    operation: dict[str, Any] = {
        "operationId": route.view.__name__,
        "summary": (route.view.__doc__ or "").split("\n")[0],
        "parameters": parameters,
        "responses": responses,
    }
    if route.body:
        content: dict[str, Any] = {"application/json": {"schema": route.body}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation
