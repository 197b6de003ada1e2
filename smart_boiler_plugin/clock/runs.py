"""Unbroken runs of steps, such as spells of heating. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def runs(chosen: NDArray[np.bool_]) -> list[slice]:
    """Return the unbroken runs of what is chosen, ascending.

    Parameters
    ----------
    chosen
        Whether each step is, shape (n,).

    """
    edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False)).tolist()
    return [slice(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
