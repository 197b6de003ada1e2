"""Tanks in steps of a quarter of an hour, and what heating them costs at least, for the tests of the pure modules."""

import highspy
import numpy as np

from smart_boiler_plugin.physics.envelope import Steps

SLACK_KWH = 1e-9
"""How far bounds may be passed in a linear programme: those of an envelope touch, but for rounding [kWh]."""


def steps_of(tank, drawn_kwh, power_kw):
    """Return the steps of a tank, losses worked out as ``Tank.after`` does."""
    n = len(drawn_kwh)
    retention = tank.storage_efficiency(0.25)
    late = (1 - retention) / -np.log(retention) if retention < 1 else 1.0
    inflow = (tank.ambient_gain_kw / 4 - drawn_kwh) * late
    return Steps(np.full(n, retention), inflow, np.zeros(n), np.full(n, power_kw / 4 * late), drawn_kwh * late)


class LinearProgramme:
    """The cheapest heating of a tank by a linear programme, solved by HiGHS: one model for many floors.

    Variables are the heat H and the state of charge E of each step, with E_i - retention_i E_(i-1) - H_i = inflow_i.
    """

    def __init__(self, steps, price, start_kwh, highest_kwh):
        self.highest = highest_kwh + SLACK_KWH
        n = len(price)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = 2 * n, n
        model.col_cost_ = np.concatenate([price, np.zeros(n)])
        model.col_lower_ = np.concatenate([steps.heat_min_kwh, np.full(n, -highspy.kHighsInf)])
        model.col_upper_ = np.concatenate([steps.heat_max_kwh, self.highest])
        comes_in = steps.inflow_kwh + np.where(np.arange(n) == 0, steps.retention * start_kwh, 0.0)
        model.row_lower_ = model.row_upper_ = comes_in
        matrix = model.a_matrix_
        # by columns: H_i stands in row i; E_i there, too, and but for the last one in the next
        matrix.format_ = highspy.MatrixFormat.kColwise
        matrix.start_ = np.concatenate([np.arange(n), n + 2 * np.arange(n), [3 * n - 1]])
        matrix.index_ = np.concatenate([np.arange(n), np.repeat(np.arange(n + 1), 2)[1:-2]])
        after = np.stack([np.ones(n), -np.append(steps.retention[1:], 0)], axis=1).ravel()[:-1]
        matrix.value_ = np.concatenate([-np.ones(n), after])
        self.highs = highspy.Highs()
        self.highs.silent()
        self.highs.passModel(model)
        self.states = np.arange(n, 2 * n, dtype=np.int32)

    def lowest_cost(self, lowest_kwh):
        """Return the least cost that keeps floors [kWh] at the ends of the steps, or None if nothing does."""
        self.highs.changeColsBounds(len(self.states), self.states, lowest_kwh - SLACK_KWH, self.highest)
        self.highs.run()
        optimal = self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return self.highs.getObjectiveValue() if optimal else None
