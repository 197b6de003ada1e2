"""What a household's readings teach of its draw-offs: when hot water is drawn, and how much.

``observe`` and ``learn`` are pure: arrays in, arrays out, many boilers at once; no training. Not here: readings and
what is believed of them (``facts``), and what a plan makes of draw-offs (``plan``, ``physics/set_points.py``).
"""
