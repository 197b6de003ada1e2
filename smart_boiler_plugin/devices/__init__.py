"""What boilers and their gateways send and get, in bulk: readings in, in any unit and at any interval; set-points out.

Who they are (``tokens.py``), and by which rule they may heat (``lease.py``), on whatever path.

Not here: what of that is believed (``facts``, ``physics``), and what is planned for a boiler (``plan``).
"""
