"""Day-ahead prices from Energy-Charts (https://energy-charts.info, Fraunhofer ISE), for whoever has no ENTSO-E token.

``zones`` and ``answer`` are pure, ``fetch`` speaks HTTP, ``importing`` stores what came.
"""
