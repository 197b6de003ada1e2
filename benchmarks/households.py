"""Simulated households side by side: their boilers, what plans are told of them, and what they really draw."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES

TIMEZONE = "Europe/Brussels"
PRICES = Path(__file__).parent / "data" / "day-ahead-prices-BE-2024.csv"
QUARTER_H = 0.25
QUARTER = pd.Timedelta(minutes=15)
START_C = 55.0
NOT_LATE = pd.Timedelta(0)
KINDS = ("usual", "late", "triple", "never")
"""As their tapping profile, on average; 2 to 10 h later; three times as much; nothing at all."""


@dataclass(frozen=True)
class Households:
    """Households side by side.

    Parameters
    ----------
    entered
        What the operator entered of each boiler, and plans know.
    boilers
        What they really are.
    drawn_kwh
        Heat that is drawn in each quarter of an hour, shape (n, boilers) [kWh].

    """

    entered: list
    boilers: Boilers
    drawn_kwh: np.ndarray

    def with_ceiling(self, ceiling_c):
        """Return the same households with another ceiling [°C]."""
        entered = [replace(each, temperature_max_c=ceiling_c) for each in self.entered]
        full = self.boilers.heat_capacity_kwh_per_k * (ceiling_c - self.boilers.cold_water_c)
        return replace(self, entered=entered, boilers=replace(self.boilers, ceiling_kwh=full))

    @property
    def start_kwh(self):
        """States of charge with which all begin [kWh]."""
        return self.boilers.state_kwh(START_C)


def households(count, moments, kind="usual", *, volume_wrong=1.0, loss_wrong=1.0):
    """Return households: two in three have 80 l and draw profile S, one has 120 l and draws profile M.

    Parameters
    ----------
    count
        How many.
    moments
        Starts of the quarters in which they draw, local.
    kind
        Of ``KINDS``.
    volume_wrong, loss_wrong
        How many times as large as entered volume and standing loss really are [-].

    """
    entered, real, drawn = [], [], []
    for seed in range(count):
        chance, large = np.random.default_rng(seed), seed % 3 == 2
        share = chance.uniform(0.8, 1.2) if large else chance.uniform(0.7, 1.3)
        data = BoilerData(volume_l=120, power_kw=2.0, tapping_profile="M") if large else BoilerData()
        loss = loss_wrong * data.tank.standing_loss_kwh_per_day
        entered.append(data)
        real.append(replace(data, volume_l=volume_wrong * data.volume_l, standing_loss_kwh_per_day=loss))
        share *= {"triple": 3.0, "never": 0.0}.get(kind, 1.0)
        late = pd.Timedelta(hours=chance.uniform(2, 10)) if kind == "late" else pd.Timedelta(0)
        drawn.append(draw_random(np.random.default_rng(1000 + seed), data.tapping_profile, share, moments, late))
    return Households(entered, boilers_of(real), np.stack(drawn, axis=1))


def draw_random(chance, profile, share, moments, late=NOT_LATE):
    """Return heat drawn per quarter [kWh]: a tapping profile, each tap at another time and of another size each day.

    Each tap moves by some 30 min and is some 40 % larger or smaller; one in ten does not happen.
    """
    drawn = np.zeros(len(moments))
    first = moments[0]
    for day in pd.date_range(first.normalize(), moments[-1].normalize(), freq="D"):
        for at, heat in TAPPING_PROFILES[profile].items():
            if chance.random() < 0.1:
                continue
            moment = day + late + pd.Timedelta(hours=at.hour, minutes=at.minute + chance.normal(0, 30))
            quarter = int((moment - first) / QUARTER)
            if 0 <= quarter < len(drawn):
                drawn[quarter] += share * heat * chance.lognormal(-0.08, 0.4) / 0.9
    return drawn


def read_prices(file, moments):
    """Return spot prices [EUR/kWh] per quarter; exits with what is missing if the file does not cover them."""
    prices = pd.read_csv(file, index_col=0).iloc[:, 0]
    prices.index = pd.to_datetime(prices.index, utc=True)
    step = prices.index[1] - prices.index[0]
    if prices.index[0] > moments[0] or prices.index[-1] + step <= moments[-1]:
        raise SystemExit(
            f"{file} has prices from {prices.index[0]} until {prices.index[-1] + step}, and "
            f"{moments[0]} until {moments[-1] + QUARTER} is needed. Choose fewer --days or another --start."
        )
    return prices.reindex(moments.tz_convert("UTC"), method="ffill").set_axis(moments) / 1000
