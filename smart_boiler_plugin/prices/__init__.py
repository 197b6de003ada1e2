"""Spot prices and what customers pay: which sensors hold them, how they come in, and tariffs.

Not here: what a plan assumes where no price is known (``plan``), and what a day came to (``money``).
"""
