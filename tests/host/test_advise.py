"""`flexmeasures smart-boiler advise`: through the command line, on a real database."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.money.advice import advise
from tests.factories import make_account, make_household_boiler, store
from tests.host.queries import counted_queries


@pytest.fixture
def two(app):
    """Ids of two customers' boilers; prices of the last weeks are known."""
    with app.app_context():
        operator = make_account("Operator", roles=["Consultancy"])
        made = [
            make_household_boiler(make_account(name, roles=[CUSTOMER_ROLE], consultancy=operator), f"Boiler {name}")
            for name in ("A", "B")
        ]
        start = pd.Timestamp(server_now()).tz_convert("Europe/Amsterdam").normalize() - timedelta(days=29)
        quarters = np.arange(30 * 96)
        store(made[0].price, np.where(quarters % 96 < 24, 0.10, 0.40), start)
        return [boiler.asset.owner.id for boiler in made]


@pytest.fixture
def run(app):
    return lambda *words: app.test_cli_runner().invoke(args=["smart-boiler", "advise", *words])


def test_it_tells_what_each_choice_would_have_saved_and_its_risks(two, run):
    told = run("--customer", str(two[0]))
    assert told.exit_code == 0, told.output
    rows = [line.split() for line in told.output.splitlines() if "Boiler A" in line]
    assert len(rows) == 6
    assert rows[0][-3:] == ["as", "it", "is"]
    (hot,) = [row for row in rows if row[5] == "75"]
    saved = float(hot[9])
    assert saved > 0
    assert float(rows[0][7]) - float(hot[7]) == pytest.approx(saved, abs=0.011)
    assert "scalds" in told.output
    assert "Boiler B" not in told.output


def test_a_boiler_without_prices_spoils_no_advice_for_others(app, two, run):
    from flexmeasures.data import db  # noqa: PLC0415

    from smart_boiler_plugin.boiler.asset import Boiler  # noqa: PLC0415
    from smart_boiler_plugin.boiler.owners import boilers_of  # noqa: PLC0415

    with app.app_context():
        (first, _) = boilers_of()
        first.flex_context = {"consumption-price": {"sensor": 999_999}}
        db.session.commit()
        boilers = [Boiler(asset) for asset in boilers_of()]
        counts = []
        for some in (boilers[1:], boilers):
            with counted_queries() as queries:
                list(advise(some, 6.0, server_now()))
            counts.append(len(queries))
        assert counts[1] <= counts[0] + 2
    told = run()
    assert told.exit_code == 0
    assert "Prices of the last 28 days are not known." in told.output
    assert "Boiler B" in told.output


def test_who_has_no_boiler_is_told(run):
    told = run()
    assert (told.exit_code, "There is no boiler" in told.output) == (1, True)
