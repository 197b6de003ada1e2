"""What a household's readings teach of its draw-offs: when hot water is drawn, and how much.

``observe``, ``infer`` and ``learn`` are pure: arrays in, arrays out, many boilers at once; no training. ``daily``
stores what a day taught, ``habits`` tells plans what is known. Not here: readings and what is believed of them
(``facts``), and what a plan makes of draw-offs (``plan``, ``physics/set_points.py``).
"""
