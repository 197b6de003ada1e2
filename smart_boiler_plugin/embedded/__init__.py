"""PostgreSQL, Redis, a mailbox, a FlexMeasures server and a worker on one machine, without any set-up.

For the demo, for trying out and for the tests. A business runs on its own PostgreSQL and Redis: see the README.

FlexMeasures imports all modules of a plugin when it loads it. So what only the extra ``embedded`` installs is imported
here, and in ``demo``, by the functions that need it.

=================  ==========================================================================
``processes.py``   one process of ours: start, wait until it answers, stop, see why it died
``postgres.py``    PostgreSQL from a wheel
``redis.py``       Redis from a wheel
``broker.py``      an MQTT broker
``mailbox.py``     an SMTP server that keeps what it gets
``shell.py``       the host's command line, many commands in one process
``stack.py``       all of them together, in one folder
=================  ==========================================================================
"""
