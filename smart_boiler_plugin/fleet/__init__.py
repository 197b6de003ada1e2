"""The state of all boilers at one look.

Not here: what is known of each (``facts``), and how it is shown (``ui``).
"""
