"""What makes a first day fail, found out and told with what mends it: ``flexmeasures smart-boiler doctor``.

Where the server does not start, or does not load the plugin, that command is not there either; then
``python -m smart_boiler_plugin.doctor`` finds out why.

======================  =====================================================================
``findings.py``         what a check finds
``packages.py``         versions; imports nothing that may be missing
``written.py``          before the server starts: what the configuration says
``services.py``         what the server needs to run: database, Redis, workers, clocks, mail
``business.py``         what a business needs: an operator, prices, sites that are planned
``report_config.py``    the configuration of a cost report of the host's
``asking.py``           how checks are asked
``all_of_it.py``        all checks, in their order
``telling.py``          what a person or a program sees
``__main__.py``         the way in where there is no server
======================  =====================================================================

Nothing here changes anything, and nothing else imports it but the command.
"""
