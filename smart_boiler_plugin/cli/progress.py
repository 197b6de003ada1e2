"""How far a command is, how long it still takes, and what is done when somebody presses Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import click
from flexmeasures.cli.utils import MsgStyle

Thing = TypeVar("Thing")

INTERRUPTED = 130
"""Exit code of what was ended with Ctrl-C, as shells have it."""

HARMLESS = "Running it again is harmless."


@contextmanager
def progress(what: str, length: int, kept: str = HARMLESS) -> Iterator[Callable[[int], None]]:
    """Show a progress bar; where Ctrl-C ends it, say what is done, and exit with 130.

    Yields a function to call with how many more are done.

    Parameters
    ----------
    what
        Of what there are several: "boilers".
    length
        How many there are.
    kept
        What becomes of what is done when it is ended, and how to go on, as a sentence.

    """
    begin, done = time.monotonic(), 0

    def shown(_: object) -> str:
        return time_left(done, length, time.monotonic() - begin)

    with ExitStack() as running:
        update = running.enter_context(_bar(what.capitalize(), length, shown)) if _is_watched() else lambda _: None

        def advance(more: int) -> None:
            nonlocal done
            done += more
            update(more)

        try:
            yield advance
        except KeyboardInterrupt:
            click.secho(f"\nStopped: {done} of {length} {what} are done. {kept}", err=True, **MsgStyle.WARN)
            raise click.exceptions.Exit(INTERRUPTED) from None


def watched(things: Iterable[Thing], what: str, length: int, kept: str = HARMLESS) -> list[Thing]:
    """Return things as they come, with a progress bar; the other parameters are those of ``progress``."""
    found = []
    with progress(what, length, kept) as advance:
        for each in things:
            found.append(each)
            advance(1)
    return found


def _is_watched() -> bool:
    """Return whether a person sees the bar; in a cron mail, it would be a line of its own."""
    return sys.stderr.isatty()


@contextmanager
def _bar(label: str, length: int, shown: Callable[[object], str]) -> Iterator[Callable[[int], None]]:
    bar = click.progressbar(length=length, label=label, show_eta=False, item_show_func=shown, file=sys.stderr)
    with bar as shown_bar:
        yield shown_bar.update


def time_left(done: int, length: int, seconds: float) -> str:
    """Return how long the rest takes at the pace until now, for people; empty where that is not known.

    It is worked out anew whenever it is shown: what is done comes in chunks, and by the first one of a chunk, whose
    others come a moment later, all would take fifty times as long.

    Parameters
    ----------
    done, length
        How many are done, and how many there are.
    seconds
        Since the begin [s].

    """
    if not 0 < done < length:
        return ""
    left = seconds * (length - done) / done
    for unit, of_seconds in (("h", 3600), ("min", 60)):
        if left >= of_seconds:
            return f"about {left / of_seconds:.0f} {unit} left"
    return f"about {max(left, 1):.0f} s left"
