"""The ``flexmeasures smart-boiler`` commands. Parse, call, print: the logic is in ``prices`` and ``taking_on`` ..."""

from click import Group


def attach(group: Group) -> None:
    """Add the commands to the plugin's group."""
    from smart_boiler_plugin.cli import customers, import_prices, prices, reports  # noqa: PLC0415 (needs FlexMeasures)

    group.help = "Run a business of smart boilers."
    for command in (customers.add_customers, customers.list_customers, customers.remove_customer):
        group.add_command(command)
    group.add_command(import_prices.import_prices)
    group.add_command(prices.update_prices)
    group.add_command(reports.report)
