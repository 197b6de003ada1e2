"""What takes longer than a call: asked for by one, and looked after by another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for
from flask_security import current_user
from flexmeasures.auth.policy import FlexMeasuresPlatform
from marshmallow import Schema, fields

from smart_boiler_plugin import jobs
from smart_boiler_plugin.api.guards import guarded
from smart_boiler_plugin.customers.directory import may
from smart_boiler_plugin.errors import NotFoundError


class AskedSchema(Schema):
    """Answer of a call that workers go on with."""

    job = fields.String()
    href = fields.String(metadata={"description": "Where it is told how far they are."})


class JobResultSchema(Schema):
    """What came of one thing of a job: ids where there is a customer, else what is wrong."""

    row = fields.Integer(metadata={"description": "Its number in what was sent, from 0."})
    result = fields.String(
        metadata={"description": "'Created', 'Already there', 'Rejected' or 'Failed'; of plans 'Told' or 'Failed'."}
    )
    status = fields.String()
    account = fields.Integer()
    user = fields.Integer(allow_none=True)
    boiler = fields.Integer(allow_none=True)
    message = fields.Raw(metadata={"description": "A sentence, or {'json': {field: [what is wrong]}}."})


class JobSchema(Schema):
    """Answer of ``GET /jobs/<id>``."""

    job = fields.String(attribute="id")
    kind = fields.String(metadata={"description": "'customers' or 'plans'"})
    status = fields.String(metadata={"description": "'queued', 'running' or 'finished'"})
    total = fields.Integer()
    done = fields.Integer()
    outcomes = fields.Dict(keys=fields.String(), values=fields.Integer())
    results = fields.List(
        fields.Nested(JobResultSchema),
        metadata={
            "description": "Of what is done, by row; boilers that were planned without a word are counted alone."
        },
    )


@guarded
def show_job(job_id: UUID) -> dict[str, Any]:
    """Show how far a job of the caller's account is, and what came of what is done; it is kept for 7 days."""
    platform = FlexMeasuresPlatform.init()
    ours = None if may(platform, "read") else current_user.account_id
    job = jobs.find(str(job_id), ours) if ours is None or may(platform, "create-children") else None
    if job is None:
        raise NotFoundError(f"You have no job {job_id}.")
    # should workers have forgotten it
    jobs.wake(job)
    shown: dict[str, Any] = JobSchema().dump(job)
    return shown


def asked(job_id: str) -> dict[str, str]:
    """Return what is answered where workers go on."""
    answer: dict[str, str] = AskedSchema().dump(
        {"job": job_id, "href": url_for("smart-boiler-plugin API.show_job", job_id=job_id)}
    )
    return answer
