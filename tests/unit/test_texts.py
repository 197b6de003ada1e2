"""Texts for households: complete in all languages, up to date with the code, compiled."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import smart_boiler_plugin
from smart_boiler_plugin.texts import DOMAIN, FOLDER, LANGUAGES, translator

PACKAGE = Path(smart_boiler_plugin.__file__).parent
OTHERS = LANGUAGES[1:]


def catalogue(language):
    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language)


def texts():
    """All texts of the code and of the templates."""
    found = extract_from_dir(PACKAGE, [("**.py", "python"), ("ui/templates/**", "jinja2")])
    return {text for _, _, text, _, _ in found}


def test_there_are_texts_at_all():
    assert len(texts()) >= 12


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_lacks_a_translation_and_none_is_left_over(language):
    said = {message.id: message for message in catalogue(language) if message.id}
    assert set(said) == texts(), "run make catalogues"
    assert [text for text, message in said.items() if not message.string or message.fuzzy] == []
    assert [text for text, message in said.items() if message.string == text and text != "Hello %(name)s,"] == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_same_values_in_them(language):
    for message in catalogue(language):
        values = [sorted(re.findall(r"%\(\w+\)s", text)) for text in (message.id, message.string)]
        assert values[0] == values[1], message.id
        assert "%" not in re.sub(r"%\(\w+\)s", "", message.string)


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_up_to_date(language):
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    assert (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo").read_bytes() == compiled.getvalue()


def test_a_text_is_said_in_a_language():
    assert translator("nl")("Choose a password") == "Kies een wachtwoord"
    assert translator("de")("Hello %(name)s,", name="100 % <b>") == "Hallo 100 % <b>,"
    assert translator("en")("Choose a password") == translator("xx")("Choose a password") == "Choose a password"
    assert translator("../../etc")("100 %") == "100 %"


def test_what_an_installed_plugin_needs_is_packaged():
    setup = (PACKAGE.parent / "setup.cfg").read_text()
    assert "translations/*/LC_MESSAGES/*.mo" in setup
    assert "ui/templates/smart_boiler_plugin/mails/*" in setup
