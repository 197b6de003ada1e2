"""The ``flexmeasures smart-boiler`` commands. Parse, call, print: the logic is in ``taking_on``, ``tariffs`` ..."""

from click import Group


def attach(group: Group) -> None:
    """Add the commands to the plugin's group."""
    from smart_boiler_plugin.cli import contracts, customers, import_prices, reports, tariffs, upgrade  # noqa: PLC0415 (needs FlexMeasures)

    group.help = "Run a business of smart boilers."
    for command in (
        *(customers.add_customers, customers.list_customers, customers.remove_customer),
        *(contracts.add_tariff, contracts.change_tariff, contracts.remove_tariff, contracts.show_tariff),
        tariffs.list_tariffs,
        *(import_prices.import_prices, tariffs.update_prices),
        reports.report,
        upgrade.upgrade,
    ):
        group.add_command(command)
    # its name in version 0.1.0
    group.add_command(customers.list_customers, "customers")
