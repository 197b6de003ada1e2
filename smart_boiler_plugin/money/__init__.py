"""What days of boilers cost and saved: accounts, reports, statements.

Not here: prices (``prices``), and what was metered (``facts``).
"""
