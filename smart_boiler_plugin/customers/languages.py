"""In which language a household is written to: its own, or the server's usual one."""

from __future__ import annotations

from flexmeasures import Asset

from smart_boiler_plugin import stored
from smart_boiler_plugin.settings import LANGUAGE
from smart_boiler_plugin.stored import as_object
from smart_boiler_plugin.texts import LANGUAGES

FIELD = "language"
"""Where it stands in what is stored of a boiler."""


def language_of(asset: Asset | None) -> str:
    """Return a household's language (one of ``LANGUAGES``)."""
    own = as_object(stored.read(asset)).get(FIELD) if asset is not None else None
    return str(next((language for language in (own, LANGUAGE.value) if language in LANGUAGES), LANGUAGES[0]))


def keep_language(asset: Asset, language: str) -> None:
    """Store a household's own language. Does not commit."""
    stored.change(asset, lambda known: {**as_object(known), FIELD: language})
