"""What is known of boilers at a moment, and what is not believed: readings, power, draw-offs, prices.

The only reader of beliefs for plans, reports and pages; and how all of them store what they made (``store.py``). Not
here: what is made of them (``plan``, ``money``, ``fleet``).
"""
