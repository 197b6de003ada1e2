"""Which path leads where; and what is answered where none leads anywhere."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import request
from flask.globals import request_ctx
from werkzeug.exceptions import MethodNotAllowed, NotFound

from smart_boiler_plugin.api import customer_crud as crud
from smart_boiler_plugin.api import customers_bulk as bulk
from smart_boiler_plugin.api import fleet, jobs, learned, plans, readings, schemas, statements, tariffs
from smart_boiler_plugin.api.openapi import Route, describe
from smart_boiler_plugin.fleet.overview_schema import OverviewSchema
from smart_boiler_plugin.version import VERSION

ONE = "/boiler-customer/<int:account_id>"
ONE_TARIFF = "/tariffs/<int:tariff_id>"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def show_openapi() -> dict[str, Any]:
    """Show this description."""
    return describe(ROUTES, VERSION)


def nowhere(path: str) -> NoReturn:
    """Refuse a path or method that does not exist, in the shape of all errors of this API."""
    adapter = request_ctx.url_adapter
    assert adapter is not None  # noqa: S101 (there is one while a request is answered)
    allowed = [method for method in METHODS if adapter.match(method=method)[0] != request.endpoint]
    if allowed:
        raise MethodNotAllowed(valid_methods=allowed)
    raise NotFound(f"There is no '{path}' here.")


ROUTES = [
    Route(
        "POST",
        "/boiler-customer",
        crud.create_boiler_customer,
        answers={201: schemas.TakenOnSchema()},
        errors=(400, 401, 403, 409, 413, 415, 422, 429),
    ),
    Route(
        "GET",
        "/boiler-customer",
        crud.list_boiler_customers,
        answers={200: schemas.CustomerPageSchema()},
        errors=(401, 422, 429),
    ),
    Route("GET", ONE, crud.show_boiler_customer, answers={200: schemas.CustomerSchema()}, errors=(401, 404, 429)),
    Route(
        "PATCH",
        ONE,
        crud.change_boiler_customer,
        answers={200: schemas.CustomerSchema()},
        errors=(400, 401, 403, 404, 409, 413, 415, 422, 429),
        # a programme of many periods, of which too many are a 422
        largest=256 * 1024,
    ),
    Route(
        "DELETE",
        ONE,
        crud.delete_boiler_customer,
        answers={200: schemas.ErasedSchema()},
        errors=(400, 401, 404, 413, 415, 422, 429),
    ),
    Route(
        "GET",
        f"{ONE}/export",
        crud.export_boiler_customer,
        answers={200: schemas.ExportSchema()},
        errors=(401, 404, 429),
    ),
    Route(
        "GET",
        f"{ONE}/statement",
        statements.show_statement,
        answers={200: statements.StatementSchema()},
        errors=(401, 404, 422, 429),
        also_csv=True,
    ),
    Route(
        "GET",
        f"{ONE}/learned",
        learned.show_learned,
        answers={200: learned.LearnedSchema()},
        errors=(401, 404, 422, 429),
    ),
    Route(
        "POST",
        f"{ONE}/invitation",
        crud.invite_boiler_customer,
        answers={200: schemas.InvitedSchema()},
        errors=(401, 403, 404, 409, 413, 422, 429),
    ),
    Route(
        "POST",
        "/boiler-customers",
        bulk.create_boiler_customers,
        answers={200: schemas.BulkSchema(), 202: jobs.AskedSchema()},
        errors=(400, 401, 403, 409, 413, 415, 422, 429),
        largest=4 * 1024 * 1024,
    ),
    Route(
        "GET",
        "/fleet",
        fleet.show_fleet,
        answers={200: OverviewSchema()},
        errors=(401, 404, 422, 429),
    ),
    Route(
        "GET",
        "/fleet/load",
        fleet.show_fleet_load,
        answers={200: fleet.LoadSchema()},
        errors=(401, 404, 422, 429),
        also_csv=True,
    ),
    Route(
        "POST",
        "/plans",
        plans.create_plans,
        answers={202: jobs.AskedSchema()},
        errors=(400, 401, 403, 404, 409, 413, 415, 422, 429),
        # ids of 10,000 customers take some 90 kB
        largest=256 * 1024,
    ),
    Route("GET", "/jobs/<uuid:job_id>", jobs.show_job, answers={200: jobs.JobSchema()}, errors=(401, 404, 429)),
    Route(
        "POST",
        "/readings",
        readings.post_readings,
        answers={200: readings.ReadingsTakenSchema()},
        errors=(400, 401, 413, 415, 422, 429),
        # a value of each of 20,000 rows takes some 3 MB
        largest=4 * 1024 * 1024,
    ),
    Route(
        "GET",
        "/tariffs",
        tariffs.list_tariffs,
        answers={200: tariffs.TariffPageSchema()},
        errors=(401, 403, 422, 429),
    ),
    Route(
        "POST",
        "/tariffs",
        tariffs.create_tariff,
        answers={201: tariffs.TariffSchema()},
        errors=(400, 401, 403, 409, 413, 415, 422, 429),
    ),
    Route(
        "GET",
        ONE_TARIFF,
        tariffs.show_tariff,
        answers={200: tariffs.TariffSchema()},
        errors=(401, 403, 404, 429),
    ),
    Route(
        "PATCH",
        ONE_TARIFF,
        tariffs.change_tariff,
        answers={200: tariffs.TariffSchema()},
        errors=(400, 401, 403, 404, 413, 415, 422, 429),
    ),
    Route(
        "DELETE",
        ONE_TARIFF,
        tariffs.delete_tariff,
        answers={200: tariffs.RemovedTariffSchema()},
        errors=(401, 403, 404, 409, 413, 422, 429),
    ),
    Route(
        "GET",
        f"{ONE_TARIFF}/prices",
        tariffs.show_tariff_prices,
        answers={200: tariffs.PricesSchema()},
        errors=(401, 403, 404, 422, 429),
    ),
    Route("GET", "/openapi.json", show_openapi, answers={200: {"type": "object", "required": ["openapi", "paths"]}}),
    *(Route(method, "/<path:path>", nowhere, documented=False) for method in METHODS),
]
