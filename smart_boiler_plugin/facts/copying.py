"""Values on their way into the database by COPY, in PostgreSQL's binary form: two thirds of what an INSERT costs."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from flexmeasures.data import db
from numpy.typing import NDArray
from sqlalchemy.exc import DBAPIError

from smart_boiler_plugin.facts.packed import EPOCH_US
from smart_boiler_plugin.physics.thermostat import Floats

COPY = """
    COPY timed_belief (sensor_id, source_id, event_start, belief_horizon, cumulative_probability, event_value)
    FROM STDIN (FORMAT binary)
"""

FIELDS = {
    "sensor_id": [("sensor_id", ">i4")],
    "source_id": [("source_id", ">i4")],
    "event_start": [("start_us", ">i8")],
    "belief_horizon": [("horizon_us", ">i8"), ("horizon_days", ">i4"), ("horizon_months", ">i4")],
    "cumulative_probability": [("probability", ">f8")],
    "event_value": [("value", ">f8")],
}
"""What PostgreSQL takes for each column; intervals are of three parts."""

ROW = np.dtype(
    [("columns", ">i2")] + [part for name, parts in FIELDS.items() for part in [(f"{name}_bytes", ">i4"), *parts]]
)
"""A row: how many columns it has, and for each how many bytes and its value (PostgreSQL, COPY, Binary Format)."""

BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)

END = b"\xff\xff"


def copy(
    sensor_ids: NDArray[np.int64],
    source_id: int,
    starts_us: NDArray[np.int64],
    horizons_us: NDArray[np.int64],
    values: Floats,
) -> int:
    """Add values of one source, and return how many. Commits nothing.

    Parameters
    ----------
    sensor_ids, starts_us, horizons_us, values
        Of each: the sensor, when the event begins [µs after 1970], how long before that it was recorded [µs], and the
        value, shape (n,).
    source_id
        Whose they are.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        If one is there already, or there is no such sensor. The transaction, or its savepoint, is to be rolled back.
    sqlalchemy.exc.DBAPIError
        If the database gives no answer.

    """
    rows = np.zeros(len(values), dtype=ROW)
    rows["columns"] = len(FIELDS)
    for name, parts in FIELDS.items():
        rows[f"{name}_bytes"] = np.dtype(parts).itemsize
    rows["sensor_id"], rows["source_id"] = sensor_ids, source_id
    rows["start_us"], rows["horizon_us"] = starts_us - EPOCH_US, horizons_us
    rows["probability"], rows["value"] = 0.5, values
    connection = db.session.connection()
    with connection.connection.cursor() as cursor:
        try:
            cursor.copy_expert(COPY, BytesIO(BEGIN + rows.tobytes() + END))
        except connection.dialect.loaded_dbapi.Error as error:
            gone = connection.dialect.is_disconnect(error, cursor.connection, cursor)
            if gone:
                connection.invalidate(error)
            raise DBAPIError.instance(
                COPY, None, error, connection.dialect.loaded_dbapi.Error, connection_invalidated=gone
            ) from error
        return int(cursor.rowcount)
