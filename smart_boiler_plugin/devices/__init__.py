"""What boilers and their gateways send and get, in bulk: readings in, in any unit and at any interval.

Not here: what of that is believed (``facts``, ``physics``), and what is planned for a boiler (``plan``).
"""
