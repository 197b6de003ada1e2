"""States of charge on an even grid, many boilers at once: what heating and draw-offs do, forwards and seen backwards.

Between two states of the grid everything is linear; so going forwards with the distribution of the states, and
backwards with the values of the states, are each other's transpose, and agree to rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.thermostat import Floats

Indices = NDArray[np.intp]


class Grid:
    """Even states from cold water on, for each boiler; all other numbers here are in units of its step.

    Parameters
    ----------
    boilers
        Which.
    top_kwh
        Where the grid ends, shape (boilers,) [kWh]; at the ceiling, or above.
    states
        How many states it has, both ends included.

    """

    def __init__(self, boilers: Boilers, top_kwh: Floats, states: int) -> None:
        self.states = states
        self.step_kwh: Floats = top_kwh / (states - 1)
        self.all: Floats = np.arange(states, dtype=float)
        self._late = boilers.late
        self.idle: Floats = boilers.retention[:, None] * self.all + (boilers.gain_kwh / self.step_kwh)[:, None]
        most = self.idle + (boilers.heat_max_kwh / self.step_kwh)[:, None]
        self._most = np.maximum(self.idle, np.minimum(most, (boilers.ceiling_kwh / self.step_kwh)[:, None]))

    def heated(self, wish: Floats) -> Floats:
        """Return each state after a step with a set-point, shape (boilers,), and no draw-offs: (boilers, states)."""
        states: Floats = np.minimum(np.maximum(wish[:, None], self.idle), self._most)
        return states

    def draw_offs(self, sizes_kwh: Floats, probabilities: Floats) -> DrawOffs:
        """Return the draw-offs of a step, of sizes [kWh] and probabilities of shape (boilers, sizes)."""
        return DrawOffs(sizes_kwh * (self._late / self.step_kwh)[:, None], probabilities, self.states)


class Places:
    """Where states lie on the grid, each between two of its states.

    Parameters
    ----------
    places
        In units of the grid's step, shape (boilers, n).
    states
        How many states the grid has.

    """

    def __init__(self, places: Floats, states: int) -> None:
        boilers = np.arange(len(places))[:, None]
        below = np.clip(places.astype(np.intp), 0, states - 2)
        self._share = places - below
        self._below: Indices = boilers * states + below
        self._shape = (len(places), states)

    def of(self, values: Floats) -> Floats:
        """Return the values there, shape (boilers, n), of values on the grid, shape (boilers, states)."""
        flat = values.ravel()
        low = flat.take(self._below)
        return low + self._share * (flat.take(self._below + 1) - low)

    def spread(self, shares: Floats) -> Floats:
        """Return a distribution on the grid, shape (boilers, states): shares, shape (boilers, n), moved there."""
        size = self._shape[0] * self._shape[1]
        upper = shares * self._share
        moved: Floats = np.bincount(self._below.ravel(), (shares - upper).ravel(), size).astype(float)
        moved += np.bincount(self._below.ravel() + 1, upper.ravel(), size)
        return moved.reshape(self._shape)


class DrawOffs:
    """The draw-offs of one step, one distribution for each boiler.

    Parameters
    ----------
    sizes
        What they take from the state of charge at the end of the step, in units of the grid's step, shape
        (boilers, sizes).
    probabilities
        Shape (boilers, sizes), the sum of each boiler's is 1.
    states
        How many states the grid has.

    """

    def __init__(self, sizes: Floats, probabilities: Floats, states: int) -> None:
        possible = probabilities.any(axis=0)
        sizes, probabilities = sizes[:, possible], probabilities[:, possible]
        # what would take more than the whole grid takes all of it, too
        reach = np.minimum(sizes, states - 1)
        self._whole: Indices = np.minimum(reach.astype(np.intp), states - 2)
        upper = probabilities * (reach - self._whole)
        self._weights = np.stack([probabilities - upper, upper], axis=1)
        self._sizes, self._probabilities, self._states = sizes, probabilities, states

    def before(self, values: Floats) -> Floats:
        """Return the expected values of states before the draw-offs, by those after; both (boilers, states).

        A tank that would be drawn below cold water is as one that is drawn empty.
        """
        empty = np.repeat(values[:, :1], self._states, axis=1)
        sums = self._weighted(np.concatenate([empty, values], axis=1), self._states - 1 - self._whole)
        return sums[:, 0, 1:] + sums[:, 1, :-1]

    def after(self, shares: Floats) -> Floats:
        """Return the distribution of the states after the draw-offs, by that before; both (boilers, states)."""
        beyond = np.zeros_like(shares)
        sums = self._weighted(np.concatenate([shares, beyond], axis=1), self._whole)
        left = sums[:, 0, :-1] + sums[:, 1, 1:]
        left[:, 0] += shares.sum(axis=1) - left.sum(axis=1)
        return left

    def _weighted(self, line: Floats, begins: Indices) -> Floats:
        """Return two weighted sums of the windows of a line that begin somewhere, shape (boilers, 2, states + 1)."""
        windows = sliding_window_view(line, self._states + 1, axis=1)
        sums: Floats = self._weights @ windows[np.arange(len(line))[:, None], begins]
        return sums

    def unserved(self, useful: Floats) -> Floats:
        """Return the expected unserved heat by the state before the draw-offs, shape (boilers, states).

        A draw-off d from a state x leaves max(x - d, 0); what that falls short of the useful state u, and no more than
        d, is unserved. So it is min(d, u) for all x below u, and u - min(d + u, x) + min(d, x) from there on. Of
        the mean of min(d, i) on a grid the second difference is the probability of d, shared between the two states
        next to it: added up twice, it is exact, and costs little for many sizes.

        Parameters
        ----------
        useful
            The useful state, shape (boilers,); as all else in units of the grid's step.

        """
        # below the least useful state there is nothing to add up
        first = int(min(useful.min(), self._states - 1))
        count, columns = len(useful), self._states - first
        lost = self._probabilities * np.minimum(self._sizes, useful[:, None])
        lost_before = self._probabilities * np.minimum(self._sizes, first)
        ends = np.concatenate([np.maximum(self._sizes - first, 0), self._sizes + (useful - first)[:, None]], axis=1)
        np.minimum(ends, columns, out=ends)
        chances = np.concatenate([self._probabilities, -self._probabilities], axis=1)
        below = np.minimum(ends.astype(np.intp), columns - 1)
        upper = chances * (ends - below)
        below += np.arange(count)[:, None] * (columns + 1)
        bends = np.bincount(below.ravel(), (chances - upper).ravel(), count * (columns + 1))
        bends += np.bincount(below.ravel() + 1, upper.ravel(), count * (columns + 1))
        falls = bends.reshape(count, columns + 1)[:, : columns - 1].cumsum(axis=1).cumsum(axis=1)
        warm = (useful - first + lost_before.sum(axis=1))[:, None] - falls
        cold = lost.sum(axis=1)[:, None]
        unserved = np.empty((count, self._states))
        unserved[:, : first + 1] = cold
        unserved[:, first + 1 :] = np.where(np.arange(first + 1, self._states) < useful[:, None], cold, warm)
        return unserved
