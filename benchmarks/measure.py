"""What runs of simulated boilers come to: money at equal heat, and hot water that was not there."""

import numpy as np

HOT_C = 59.5
"""What counts as 60 °C [°C]: a thermometer with a noise of 0.3 K and steps of 0.5 K may call it so."""

HYGIENE_DAYS = 7

EVENT_KWH = 0.05
"""From how much unserved heat in a quarter of an hour on somebody notices [kWh]."""

LITRES_PER_KWH = 28.7
"""Mixed water at 40 °C, of cold water at 10 °C."""


def unserved_kwh(homes, run, useful_c=40.0):
    """Return the heat that was drawn and not served at a temperature [°C], shape (n, boilers) [kWh]."""
    return np.clip(homes.boilers.state_kwh(useful_c) - run.state_kwh, 0.0, homes.drawn_kwh)


def figures(homes, run, baseline, price, begin=0):
    """Return what a run comes to from quarter ``begin`` on, as means over the boilers.

    Cost [EUR per boiler] at equal heat: what a tank has gained less than that of the baseline is charged at the mean
    price of the last day. ``u40``, ``u45`` [kWh a year], ``events`` [a year] of unserved heat, ``u40_p90`` of the worst
    tenth of the boilers; ``minutes_below_50`` while somebody draws [min a day].
    """
    n = len(homes.drawn_kwh)
    price, days = price[:n], (n - begin) / 96
    ahead_kwh = run.state_kwh - baseline.state_kwh
    gained_kwh = ahead_kwh[-1] - (ahead_kwh[begin - 1] if begin else 0.0)
    cost = price[begin:] @ run.electricity_kwh[begin:] - gained_kwh / homes.boilers.cop * price[-96:].mean()
    temperature_c = homes.boilers.temperature_c(run.state_kwh[begin:])
    on = run.electricity_kwh[begin:] > 1e-9
    u40, u45 = (unserved_kwh(homes, run, useful_c)[begin:] for useful_c in (40.0, 45.0))
    a_year = 365 / days
    return {
        "cost": cost.mean(),
        "u40": u40.sum(axis=0).mean() * a_year,
        "u45": u45.sum(axis=0).mean() * a_year,
        "events": (u40 > EVENT_KWH).sum(axis=0).mean() * a_year,
        "u40_p90": np.quantile(u40.sum(axis=0), 0.9) * a_year,
        "minutes_below_50": 15 * ((temperature_c < 49.9) & (homes.drawn_kwh[begin:] > 0)).sum(axis=0).mean() / days,
        "starts_per_day": (on[1:] & ~on[:-1]).sum(axis=0).mean() / days,
        "hygiene_missed": sum(hygiene_missed(of_boiler) for of_boiler in temperature_c.T),
        "electricity_kwh": run.electricity_kwh[begin:].sum(axis=0).mean(),
    }


def hygiene_missed(temperature_c):
    """Return how often seven days went by without half an hour at 60 °C, of one boiler."""
    hot = temperature_c >= HOT_C
    done = np.flatnonzero(hot[1:] & hot[:-1]) + 1
    edges = np.concatenate([[0], done, [len(temperature_c)]])
    return int((np.diff(edges) // (HYGIENE_DAYS * 96)).sum())
