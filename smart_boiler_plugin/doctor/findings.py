"""What a check finds. Imports nothing that may be missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    told
        What was found, as a sentence for people.
    fix
        What to do about it: a command, or a line of the configuration. Empty where all is well.
    about
        Which check found it.

    """

    told: str
    fix: str = ""
    about: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is to be done."""
        return not self.fix
