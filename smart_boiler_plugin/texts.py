"""Texts for households, in their language. Mails take them from here; pages can, too: one catalogue for all.

The English text is the key; the others stand in ``translations/<language>/LC_MESSAGES/smart_boiler.po``, which ``make
catalogues`` brings up to date with the code and compiles. They are read with Babel alone, which flask-babel brings: its
own ``Domain`` needs ``Babel(app)``, and that changes the app of a host which has none of it, makes Flask-Security
translate its pages by the browser's language, and would collide with the host's own the day it gets one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from babel.support import NullTranslations, Translations

DOMAIN = "smart_boiler"
"""Name of the catalogue's files."""

FOLDER = Path(__file__).parent / "translations"
"""Where they are."""

LANGUAGES = ("en", "nl", "de")
"""Languages of households (ISO 639-1); the first one is that of the texts in the code."""

Translator: TypeAlias = Callable[..., str]


def translator(language: str) -> Translator:
    """Return a function that says an English text in a language: what ``_`` is in templates.

    ``_("Hello %(name)s,", name="Ash")`` puts values in place of their names. What is returned is plain text, which a
    template of HTML escapes as a whole.

    Parameters
    ----------
    language
        One of ``LANGUAGES``; any other is English.

    """
    catalogue = _catalogue(language)

    def say(text: str, **values: Any) -> str:
        said = str(catalogue.gettext(text))
        return said % values if values else said

    return say


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(FOLDER, [language], DOMAIN) if language in LANGUAGES else NullTranslations()
