"""What is known of boilers at a moment, and what is not believed: readings, power, draw-offs, prices.

The only reader of beliefs for plans, reports and pages. Not here: what is made of them (``plan``, ``money``,
``fleet``).
"""
