"""The ``flexmeasures smart-boiler`` commands. Parse, call, print: the logic is in ``taking_on``, ``tariffs`` ..."""

from click import Group


def attach(group: Group) -> None:
    """Add the commands to the plugin's group."""
    from smart_boiler_plugin.cli import customers, prices, tariffs  # noqa: PLC0415 (only needed once FlexMeasures is there)

    group.help = "Run a business of smart boilers."
    for command in (customers.add_customers, customers.list_customers, customers.remove_customer):
        group.add_command(command)
    group.add_command(prices.import_prices)
    for command in (tariffs.add_tariff, tariffs.list_tariffs, tariffs.update_prices):
        group.add_command(command)
