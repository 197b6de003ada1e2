"""The quarter of an hour, local days, parts of the week, and which quarters of a day have a value.

Pure: pandas and marshmallow; no FlexMeasures, no Flask, no database (held by import-linter). Not here: what costs or is
wanted at a time (``prices``, ``boiler``).
"""
