"""The customers of an operator: take on, list, show, change, invite, let go; one transaction each; and who may.

Not here: how a call or a file names them (``api``, ``cli``), and what a boiler consists of (``boiler``).
"""
