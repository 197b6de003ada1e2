"""A heating plan: from facts to a problem, from a problem to an answer, from an answer to the host's database.

Not here: what is known of a boiler (``facts``), and how the cheapest heating is found (``physics``).
"""
