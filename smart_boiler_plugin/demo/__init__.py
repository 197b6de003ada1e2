"""The six steps of a boiler business, run for real: ``make demo`` and ``make serve``.

It talks to the server through its interfaces alone: HTTP, flexmeasures-client, MQTT and the command line.

======================  =====================================================================
``__main__.py``         from the command line to a running stack and back to nothing
``business.py``         database, operator and admin, before the first step
``steps.py``            the six steps
``household.py``        a simulated household: boiler, thermostat, draw-offs, reports
``yesterday.py``        yesterday, as it would have been with a plan
``paths.py``            boilers that are connected by a gateway and by MQTT
``board.py``            a simulated board that speaks MQTT
``sample_prices.py``    real prices of one day, moved to the days of the demo
``http.py``             the host's HTTP API, as an operator uses it
``show.py``             what a person sees
======================  =====================================================================
"""
