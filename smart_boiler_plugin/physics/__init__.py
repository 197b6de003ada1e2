"""What a tank, a thermostat and an element can do, and the cheapest way to do it.

Pure: numbers and arrays in, numbers and arrays out; no FlexMeasures, no Flask, no database, usable in a notebook (held
by import-linter). Not here: what is known of a boiler (``facts``), and what is made of it (``plan``).
"""
