"""What holds of all commands alike: help, options, what is said of unknown ids, progress, Ctrl-C, JSON, completion."""

import json
import re

import click
import pytest
from click.shell_completion import BashComplete
from flask.cli import FlaskGroup
from flexmeasures.data import db

from smart_boiler_plugin.cli import progress as bars
from smart_boiler_plugin.cli.progress import progress, time_left
from tests.factories import make_account
from tests.host.days import DAY

ACCOUNT = ("--operator", "--customer")

LISTS = {
    *("list-customers", "list-tariffs", "show-tariff", "show-customer", "jobs", "report", "advise", "tanks", "status"),
    *("plan", "doctor"),
}
"""Commands that show what a program may want to read."""


@pytest.fixture
def commands(app):
    """All commands of the plugin, by their names."""
    # `customers` is an earlier name of another
    return {name: each for name, each in app.cli.commands["smart-boiler"].commands.items() if name == each.name}


def options_of(command):
    return [each for each in command.params if isinstance(each, click.Option)]


def test_each_command_is_explained_by_whole_sentences_and_examples(commands, boilers):
    listed = boilers("--help").output
    assert "..." not in listed.partition("\nCommands:")[2]
    for name, command in commands.items():
        assert re.fullmatch(r"[A-Z][^\n]*\.", command.short_help), (name, command.short_help)
        assert command.short_help.split()[-1] in listed
        examples = command.help.partition("Example")[2]
        assert f"flexmeasures smart-boiler {command.name}" in examples, name
        for option in options_of(command):
            assert option.help, (name, option.name)
            assert option.help.rstrip("]").endswith((".", *"abcdefghijklmnopqrstuvwxyz0123456789%")), option.help


def test_each_example_is_a_command_with_options_that_exist(commands):
    for command in commands.values():
        for words in re.findall(r"flexmeasures smart-boiler ([a-z-]+)([^\n]*)", command.help.replace("\\\n", " ")):
            named = commands[words[0]]
            known = {each for option in options_of(named) for each in option.opts}
            assert set(re.findall(r"(?<!\S)--[a-z-]+", words[1])) <= known | {"--help"}, words


def test_options_are_called_the_same_everywhere(commands):
    for name, command in commands.items():
        for option in options_of(command):
            what = (option.help or "").lower()
            if option.type is click.INT and "account id" in what:
                assert option.opts == ["--operator" if "operator" in what else "--customer"], name
            if what.startswith(("first ", "when plans begin")):
                assert option.opts[0] == "--from", name
            if what.startswith(("last ", "when plans end")):
                assert option.opts[0] == "--until", name
            if "json" in what and option.is_flag:
                assert option.opts == ["--json"], name
    assert {name for name, each in commands.items() if "--json" in [o.opts[0] for o in options_of(each)]} == LISTS


def needed(command):
    """Return words with which a command gets to its accounts."""
    return {
        "add-customers": (__file__,),
        "add-tariff": ("x", "--factor", "0", "--fees", "0.1 EUR/kWh"),
        "change-tariff": ("x", "--file", __file__, "--from", DAY),
        "remove-tariff": ("x",),
        "show-tariff": ("x",),
    }.get(command, ()) + (("--server-url", "https://a.example") if command == "add-customers" else ())


def test_ids_that_name_nobody_are_answered_alike(app, commands, boilers):
    with app.app_context():
        neither = make_account("Neither").id
        db.session.commit()
    for name, command in commands.items():
        for option in options_of(command):
            if option.opts[0] not in ACCOUNT:
                continue
            role = "has no role Consultancy" if option.opts[0] == "--operator" else "is no boiler customer"
            for value, told in [(99, "There is no account 99"), (2**40, "There is no account"), (neither, role)]:
                result = boilers(name, *needed(name), option.opts[0], value)
                assert (result.exit_code, result.exception.__class__) == (2, SystemExit), (name, result.output)
                assert f"Invalid value for {option.opts[0]}" in result.output, (name, result.output)
                assert told in result.output, (name, result.output)
    for name in ("show-customer", "remove-customer", "invite", "pause"):
        assert (
            "There is no account 99"
            in boilers(name, 99, *(("--confirm", "x") if name == "remove-customer" else ())).output
        )


@pytest.mark.parametrize(
    ("words", "is_list"),
    [
        (("list-customers",), True),
        (("list-tariffs",), True),
        (("jobs",), True),
        (("report", "--date", DAY), True),
        (("advise",), True),
        (("tanks", "--all"), True),
        (("status",), False),
        (("plan", "--here"), False),
        (("doctor",), False),
    ],
)
def test_what_a_program_may_read_is_one_json_document(fleet, boilers, words, is_list):
    result = boilers(*words, "--json")
    document = json.loads(result.stdout)
    assert isinstance(document, list) is is_list
    assert document or words in {("jobs",), ("advise",), ("list-tariffs",)}


def test_a_page_without_customers_is_an_empty_table(boilers):
    result = boilers("list-customers", "--page", 2)
    assert (result.exit_code, result.output.split()[:2]) == (0, ["account", "customer"])


def test_one_tariff_and_one_customer_are_json_as_well(ash, boilers):
    shown = json.loads(boilers("show-customer", ash["account"], "--json").stdout)
    assert (shown["account"], shown["boiler"]) == (ash["account"], ash["boiler"])
    tariff = json.loads(boilers("show-tariff", "Flat", "--date", DAY, "--json").stdout)
    assert set(tariff["prices_per_kwh"].values()) == {0.25}


# --- progress --------------------------------------------------------------------------------------------------------


def test_what_is_left_is_estimated_by_all_that_is_done_so_far():
    # 50 of 300 in a minute: five more
    assert time_left(50, 300, 60.0) == "about 5 min left"
    assert time_left(150, 300, 40.0) == "about 40 s left"
    assert time_left(1, 300, 60.0) == "about 5 h left"
    assert (time_left(0, 300, 60.0), time_left(300, 300, 60.0)) == ("", "")


def test_chunks_do_not_make_the_estimate_too_long(monkeypatch, capsys):
    """As of advise: 50 at a time, a minute each; click's own estimate stays at what the first of a chunk says: 5 h."""
    clock, shown = [0.0], []
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr("click._termui_impl.isatty", lambda _: True)
    monkeypatch.setattr(bars, "_is_watched", lambda: True)
    monkeypatch.setattr(bars, "time_left", lambda *now: shown.append(time_left(*now)) or shown[-1])
    with progress("boilers", 300) as advance:
        for _ in range(6):
            clock[0] += 60.0
            for _ in range(50):
                advance(1)
    last_of_chunks = shown[49::50] if len(shown) <= 301 else shown[50::50]
    assert last_of_chunks[:3] == ["about 5 min left", "about 4 min left", "about 3 min left"]
    assert "about 5 min left" in capsys.readouterr().err


def test_ctrl_c_says_what_is_done_and_how_to_go_on(boilers, fleet, monkeypatch):
    def interrupted(*_, **__):
        yield from [outcome] * 2
        raise KeyboardInterrupt

    outcome = None
    monkeypatch.setattr("smart_boiler_plugin.cli.learning.daily.learn", interrupted)
    result = boilers("learn")
    assert "Stopped: 2 of 3 boilers are done. Running it again is harmless." in result.output
    assert result.exit_code == 130


# --- reports --------------------------------------------------------------------------------------------------------


def test_customers_of_today_are_one_line_and_no_failure(call, boilers):
    for number in range(3):
        body = {"name": f"C{number}", "user_name": f"c{number}", "user_email": f"c{number}@example.com"}
        assert call("POST", **body).status_code == 201
    result = boilers("report")
    assert "3 not reported: the boiler was taken on later.\n" in result.output
    assert (result.output.count("Boiler C"), result.exit_code) == (0, 0)
    assert boilers("report", "--verbose").output.count("(Boiler C") == 3


def test_reasons_are_counted_and_named_where_asked_for(fleet, boilers):
    result = boilers("report", "--date", "2026-02-04")
    assert "3 not reported: no price is known. Such as: Boiler" in result.output
    assert (result.output.count("(Boiler "), result.exit_code) == (1, 1)
    assert boilers("report", "--date", "2026-02-04", "--verbose").output.count("(Boiler ") == 3


# --- completion -------------------------------------------------------------------------------------------------------


def test_a_shell_completes_commands_and_options(app):
    group = FlaskGroup(create_app=lambda: app)
    complete = BashComplete(group, {}, "flexmeasures", "_FLEXMEASURES_COMPLETE")
    assert [each.value for each in complete.get_completions(["smart-boiler"], "sta")] == ["status"]
    assert {"--operator", "--customer"} <= {e.value for e in complete.get_completions(["smart-boiler", "plan"], "--")}
    assert "_FLEXMEASURES_COMPLETE=bash_complete" in complete.source()
