"""The ``flexmeasures smart-boiler`` commands. Parse, call, print: the logic is in ``taking_on``, ``tariffs`` ..."""

from click import Group

HELP = """Run a business of smart boilers.

\b
Examples:
  flexmeasures smart-boiler doctor               what makes a first day fail
  flexmeasures smart-boiler plan                 plan all boilers that need it
  flexmeasures smart-boiler status               which boilers are not well
  flexmeasures smart-boiler report               what yesterday cost and saved
  flexmeasures smart-boiler plan --help          of one command
"""


def attach(group: Group) -> None:
    """Add the commands to the plugin's group."""
    from smart_boiler_plugin.cli import (  # noqa: PLC0415 (they need FlexMeasures)
        advice,
        clean_up,
        contracts,
        customers,
        devices,
        doctor,
        import_prices,
        jobs,
        learning,
        plans,
        reports,
        status,
        tariffs,
        upgrade,
    )
    from smart_boiler_plugin.cli.failures import told_in_one_line  # noqa: PLC0415

    group.help = HELP
    for command in (
        *(customers.add_customers, customers.list_customers),
        *(customers.show_customer, customers.remove_customer),
        *(jobs.invite, jobs.list_jobs),
        *(devices.pause_boilers, devices.run_mqtt_bridge),
        *(contracts.add_tariff, contracts.change_tariff, contracts.remove_tariff, contracts.show_tariff),
        tariffs.list_tariffs,
        *(import_prices.import_prices, tariffs.update_prices),
        *(learning.learn, learning.tanks, reports.report, advice.advise_customers),
        status.show_status,
        *(plans.plan, plans.prune),
        clean_up.clean_up,
        doctor.doctor,
        upgrade.upgrade,
    ):
        # all of its first sentence, of which click would cut the end
        command.short_help = str(command.help).partition("\n\n")[0].replace("\n", " ")
        group.add_command(told_in_one_line(command))
    # its name in version 0.1.0
    group.add_command(customers.list_customers, "customers")
