"""What a household's readings teach: when hot water is drawn, and how much; and what its tank is really like.

``observe``, ``infer``, ``learn``, ``tank`` and ``side_by_side`` are pure: arrays in, arrays out, many boilers at once;
no training. ``daily`` stores what a day taught, ``habits`` tells plans what is known, and ``tanks`` tells operators.
Not here: readings and what is believed of them (``facts``), and what a plan makes of draw-offs (``plan``,
``physics/set_points.py``).
"""
