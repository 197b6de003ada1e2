"""The Content-Security-Policy of pages, made of what the host's base loads; and colours that text stands on."""

from base64 import b64encode
from hashlib import sha256

import pytest

from smart_boiler_plugin.ui.policy import policy_of

BASE = """
<style>:root { --primary-color: #123; }</style>
<link rel="stylesheet" href="https://cdn.example/npm/a@1/a.css"><link href="/ui/own.css" rel="stylesheet">
<link rel="icon" href="https://elsewhere.example/icon.ico">
<script src="https://cdn.example/b.js?v=1"></script><script>var a = "<b>" && 1;</script>
<img src="https://logo.example/x.svg"><img src="/own.png">
"""


def directives(policy):
    """Sources by directive."""
    return {name: sources for name, *sources in (each.split() for each in policy.split("; "))}


def hashed(text):
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_what_the_base_loads_is_allowed_by_file_and_what_stands_in_it_by_hash():
    allowed = directives(policy_of(BASE))
    assert allowed["script-src"] == ["'self'", "https://cdn.example/b.js", hashed('var a = "<b>" && 1;')]
    assert allowed["style-src-elem"] == [
        "'self'",
        hashed(":root { --primary-color: #123; }"),
        "https://cdn.example/npm/a@1/a.css",
    ]
    assert allowed["img-src"] == ["'self'", "data:", "https://logo.example/x.svg"]


def test_all_else_is_forbidden():
    allowed = directives(policy_of(""))
    assert allowed["default-src"] == allowed["base-uri"] == allowed["frame-ancestors"] == ["'none'"]
    assert allowed["script-src"] == allowed["connect-src"] == allowed["form-action"] == ["'self'"]
    assert "'unsafe-inline'" not in allowed["script-src"] + allowed["style-src-elem"]


@pytest.mark.parametrize(
    "url", ["http://cdn.example/a.js", "https://x.example/a.js; script-src *", "https://x.example/a' b", "javascript:1"]
)
def test_an_address_that_could_say_something_else_is_not_allowed(url):
    assert directives(policy_of(f'<script src="{url}"></script>'))["script-src"] == ["'self'"]
