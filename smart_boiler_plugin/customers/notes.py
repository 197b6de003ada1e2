"""What people have noted with a customer's account, assets and sensors: exported and erased with the customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flexmeasures import Account, Asset, Sensor, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.annotations import (
    AccountAnnotationRelationship,
    Annotation,
    GenericAssetAnnotationRelationship,
    SensorAnnotationRelationship,
)
from sqlalchemy import exists, or_

ON_ACCOUNT = AccountAnnotationRelationship
ON_ASSET = GenericAssetAnnotationRelationship
ON_SENSOR = SensorAnnotationRelationship


def of(account: Account, assets: Sequence[Asset], sensors: Sequence[Sensor], users: Sequence[User]) -> list[Annotation]:
    """Return the annotations of an account, of assets and sensors, and those that users made, by their id."""
    sources = db.select(Source.id).filter(
        or_(Source.user_id.in_([user.id for user in users]), Source.account_id == account.id)
    )
    linked = [
        db.select(ON_ACCOUNT.annotation_id).filter(ON_ACCOUNT.account_id == account.id),
        db.select(ON_ASSET.annotation_id).filter(ON_ASSET.generic_asset_id.in_([asset.id for asset in assets])),
        db.select(ON_SENSOR.annotation_id).filter(ON_SENSOR.sensor_id.in_([sensor.id for sensor in sensors])),
    ]
    theirs = or_(Annotation.source_id.in_(sources), *(Annotation.id.in_(query) for query in linked))
    return list(db.session.scalars(db.select(Annotation).filter(theirs).order_by(Annotation.id)))


def erase(account: Account, annotations: Sequence[Annotation]) -> None:
    """Erase annotations of a customer whose assets are erased already. What others have noted elsewhere, too, stays.

    Parameters
    ----------
    account
        The customer's.
    annotations
        Of the customer, as ``of`` has found them.

    """
    ids = [annotation.id for annotation in annotations]
    db.session.execute(db.delete(ON_ACCOUNT).filter(ON_ACCOUNT.account_id == account.id))
    elsewhere = or_(
        *(exists().where(link.annotation_id == Annotation.id) for link in (ON_ACCOUNT, ON_ASSET, ON_SENSOR))
    )
    db.session.execute(db.delete(Annotation).filter(Annotation.id.in_(ids), ~elsewhere))


def shown(annotation: Annotation) -> dict[str, Any]:
    """Return an annotation as JSON can hold it."""
    return {
        "id": annotation.id,
        "type": annotation.type,
        "content": annotation.content,
        "start": annotation.start.isoformat(),
        "end": annotation.end.isoformat(),
        "by": annotation.source.name,
    }
