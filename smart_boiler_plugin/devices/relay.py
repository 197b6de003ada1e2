"""One device that knows on and off: what it is to be told at a moment, and whether it does what it was told. Pure.

It is only ever forbidden to heat, for a time that it counts itself. All else leaves it to its own thermostat.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from smart_boiler_plugin.boiler.profiles import OUTPUT, POWER, REFUSAL, Profile, Sends
from smart_boiler_plugin.devices.lease import LEFT_ALONE, LONGEST, RENEWED, Lease

SETTLED = timedelta(seconds=30)
"""How long a device may take to do what it was told."""

DRAWS_KW = 0.05
"""From which power on an element heats [kW]."""

LONGEST_PULSE_OF_TENTHS = 11
"""Tasmota's PulseTime counts tenths of a second up to 11.1 s, and above 111 seconds, from 100 on [s]."""


class Relay:
    """What one device was told, and what it says.

    Parameters
    ----------
    profile
        How it speaks.
    longest
        For how long heating is forbidden at most.

    """

    def __init__(self, profile: Profile, longest: timedelta = LONGEST) -> None:
        self._profile, self._longest = profile, min(longest, LONGEST)
        self.renewed = min(RENEWED, self._longest / 4)
        self._told_at: datetime | None = None
        self._forbidden_until: datetime | None = None
        self._output: bool | None = None
        self._left_alone = False
        self._number = 0
        self.refusal = ""
        self.refuses_since: datetime | None = None

    def _of_output(self, now: datetime) -> str:
        if self._output and self._is_forbidden(now):
            return "Its relay is on though it was told off."
        if not self._output and not self._is_forbidden(now) and not self._left_alone:
            return "Its relay is off though it may heat."
        return ""

    def forget(self) -> None:
        """Forget what was told: it may not have come through."""
        self._told_at = None

    def tell(self, lease: Lease, now: datetime) -> Sends | None:
        """Return what the device is to be told; None where it knows.

        Parameters
        ----------
        lease
            Whether it may heat.
        now
            Aware of the time zone.

        """
        self._left_alone = lease.why == LEFT_ALONE
        if lease.heat:
            return self._allow(now)
        until = min(lease.until, now + self._longest)
        seconds = int((until - now).total_seconds())
        if seconds < 1 or (self._is_forbidden(now) and not self._is_stale(now) and until >= self._until):
            return None
        self._told_at, self._forbidden_until = now, until
        return self._filled(self._profile.forbid, seconds)

    def _allow(self, now: datetime) -> Sends | None:
        """Return what ends a lease. Who has switched it off itself while it is left alone, has switched it off."""
        ends = self._is_forbidden(now)
        unknown = self._told_at is None and not self._left_alone
        still_off = self._output is False and self._is_stale(now) and not self._left_alone
        if not (ends or unknown or still_off):
            return None
        self._told_at, self._forbidden_until = now, None
        return self._filled(self._profile.allow, 0)

    def ask(self) -> Sends | None:
        """Return what makes the device say how it is."""
        return self._profile.ask and self._filled(self._profile.ask, 0)

    def _filled(self, sends: Sends, seconds: int) -> Sends:
        self._number = self._number % 1_000_000 + 1
        longest = int(self._longest.total_seconds())
        pulse = 10 * longest if longest <= LONGEST_PULSE_OF_TENTHS else longest + 100
        return sends.filled(seconds=seconds, pulse=pulse, number=self._number)

    @property
    def _until(self) -> datetime:
        assert self._forbidden_until is not None  # noqa: S101 (asked where it is forbidden)
        return self._forbidden_until

    def _is_forbidden(self, now: datetime) -> bool:
        return self._forbidden_until is not None and self._forbidden_until > now

    def _is_stale(self, now: datetime) -> bool:
        """Return whether what was told is to be told again."""
        return self._told_at is None or now - self._told_at >= self.renewed

    def hear(self, what: str, value: float | bool | str, now: datetime) -> None:  # noqa: FBT001 (what a message says)
        """Take what the device says, and find out whether it does what it was told.

        Parameters
        ----------
        what, value
            As of ``messages.Said``.
        now
            When it said so.

        """
        told = self.refusal
        settled = self._told_at is not None and now - self._told_at >= SETTLED
        if what == OUTPUT:
            self._output = bool(value)
            if settled:
                told = self._of_output(now)
        elif what == REFUSAL:
            told = f"It answered: {value}"
        elif what == POWER and settled and self._is_forbidden(now):
            if float(value) > DRAWS_KW:
                told = f"It draws {float(value):.2f} kW though it was told off."
            elif told.startswith("It draws"):
                told = ""
        if told != self.refusal:
            self.refusal, self.refuses_since = told, now if told else None
