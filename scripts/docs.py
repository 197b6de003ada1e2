"""``make docs``: makes docs/settings.md and docs/api.md of the code, and checks links and shell blocks of all pages.

Exits with 1 where one of the two was out of date (it is written anew: commit it), a link leads nowhere, or a comment
above a shell block says neither why it is not run nor why it fails. ``tests/system/test_docs.py`` runs all others.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from smart_boiler_plugin.settings import SETTINGS, Setting

ROOT = Path(__file__).parents[1]
MADE = "<!-- made by `make docs`: change the code, and not this page -->"

NOT_RUN = re.compile(r"<!-- not run here: .{20,} -->")
"""Above a shell block that no test runs: why."""

ENDS_WITH_1 = re.compile(r"<!-- exits with 1: .{20,} -->")
"""Above a shell block that is run, and is to exit with 1: why."""


def pages() -> list[Path]:
    """Return all pages that people read."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


# --- settings --------------------------------------------------------------------------------------------------------


ABOUT_SETTINGS = (
    "They stand in the server's configuration, `~/.flexmeasures.cfg`, which is Python (`timedelta` is imported from",
    "`datetime`). A complete one to fill in is `.flexmeasures.cfg.example`.",
)

BELOW_SETTINGS = (
    "The country of the prices is that of the ENTSO-E plugin, `ENTSOE_COUNTRY_CODE` (`NL` if unset). Customers' time",
    "zone is the server's, `FLEXMEASURES_TIMEZONE`. A wrong type or an unknown `SMART_BOILER_` name is warned of at",
    "the start, and by `flexmeasures smart-boiler doctor`.",
)


def settings_page() -> str:
    """Return docs/settings.md."""
    rows = [
        f"| `{setting.name}` | {unit_of(setting)} | `{default_as_written(setting)}` | {without_unit(setting)} |"
        for setting in SETTINGS
    ]
    return "\n".join(
        [
            *("# Settings", "", MADE, ""),
            *ABOUT_SETTINGS,
            *("", "| setting | type | default | meaning |", "| --- | --- | --- | --- |", *rows, ""),
            *BELOW_SETTINGS,
            "",
        ]
    )


def unit_of(setting: Setting) -> str:
    """Return what stands in brackets in a setting's meaning: its unit or type."""
    found = re.search(r" \[(.*?)\]", setting.meaning)
    if found is None:
        raise ValueError(f"The meaning of {setting.name} names no unit or type in brackets.")
    return found[1]


def without_unit(setting: Setting) -> str:
    """Return a setting's meaning without what stands in brackets."""
    return setting.meaning.replace(f" [{unit_of(setting)}]", "")


def default_as_written(setting: Setting) -> str:
    """Return the default as it is written in a configuration: the last of the largest units that has no fraction."""
    if isinstance(setting.default, bool):
        return repr(setting.default)
    if not isinstance(setting.default, timedelta):
        return json.dumps(setting.default)
    unit = next(u for u in ("days", "hours", "minutes") if setting.default % timedelta(**{u: 1}) == timedelta(0))
    return f"timedelta({unit}={setting.default // timedelta(**{unit: 1})})"


EXAMPLES = ("quickstart.md", "customers.md", "readings.md", "devices.md", "operating.md", "tariffs.md", "costs.md")

FIRST_ERROR = 400
"""HTTP codes from here on are errors."""

# --- the API ---------------------------------------------------------------------------------------------------------


def api_page(spec: Mapping[str, Any]) -> str:
    """Return docs/api.md, of an OpenAPI description."""
    calls = [
        (method.upper(), path, said)
        for path, methods in spec["paths"].items()
        for method, said in methods.items()
        if method in {"get", "post", "patch", "delete"}
    ]
    prefix = calls[0][1].rpartition("/")[0]
    errors = {
        code: answer["description"]
        for *_, said in calls
        for code, answer in said["responses"].items()
        if int(code) >= FIRST_ERROR
    }
    lines = [
        *("# API", "", MADE, ""),
        f"All calls are under `{prefix}`, with the header `Authorization: <token>` of `POST /api/requestAuthToken`,",
        "or a session of the host. A running server describes them at `openapi.json` there, and shows them at `docs/`.",
        f"Examples: {', '.join(f'[{page}]({page})' for page in EXAMPLES)}.",
        *("", "| call | does |", "| --- | --- |"),
        *(
            f"| [`{method} {path[len(prefix) :]}`](#{slug(title(method, path, prefix))}) | {said['summary']} |"
            for method, path, said in calls
        ),
    ]
    lines += ["", "Every error is an [Error](#error):", "", "| code | when |", "| --- | --- |"]
    lines += [f"| {code} | {_text(told)} |" for code, told in sorted(errors.items())]
    for method, path, said in calls:
        lines += [
            "",
            f"## {title(method, path, prefix)}",
            "",
            said["summary"],
            *_parameters(spec, said),
            *_body(spec, said),
        ]
        lines += ["", *_answers(spec, said)]
    lines += ["", "# Objects", ""]
    for name, schema in sorted(spec["components"]["schemas"].items()):
        if schema.get("properties"):
            lines += [f"## {name}", "", *_fields(spec, schema), ""]
    return "\n".join(lines).rstrip() + "\n"


def title(method: str, path: str, prefix: str) -> str:
    """Return the heading of a call."""
    return f"{method} {path[len(prefix) :]}"


def _parameters(spec: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| `{each['name']}` | {each['in']} | {_type(spec, each['schema'])} | {'yes' if each.get('required') else ''} "
        f"| {_text(each.get('description') or each['schema'].get('description', ''))} |"
        for each in said.get("parameters", [])
    ]
    return ["", "| parameter | in | type | needed | |", "| --- | --- | --- | --- | --- |", *rows] if rows else []


def _body(spec: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    content = said.get("requestBody", {}).get("content", {})
    return ["", *(f"Body ({kind}): {_type(spec, each['schema'])}" for kind, each in content.items())] if content else []


def _answers(spec: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """Return what is answered where all is well, and the codes of errors, whose meaning stands once above."""
    lines, errors = [], []
    for code, answer in said["responses"].items():
        if int(code) >= FIRST_ERROR:
            errors.append(code)
            continue
        content = answer.get("content", {})
        kinds = " or ".join(f"{_type(spec, each['schema'])} ({kind})" for kind, each in content.items())
        lines.append(f"Answers {code}{': ' if kinds else ''}{kinds}")
    return [*lines, *(["", f"Errors: {', '.join(errors)}"] if errors else [])]


def _fields(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    needed = set(schema.get("required", []))
    rows = [
        f"| `{name}` | {_type(spec, each)} | {'yes' if name in needed else ''} | {_text(each.get('description', ''))} |"
        for name, each in schema["properties"].items()
    ]
    return ["| field | type | needed | |", "| --- | --- | --- | --- |", *rows]


def _type(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words, with links to objects."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        known = spec["components"]["schemas"].get(name, {}).get("properties")
        return f"[{name}](#{slug(name)})" if known else name
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(_type(spec, each) for each in schema[several])
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    kind = schema.get("type", "any")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "items" in schema:
        return f"list of {_type(spec, schema['items'])}"
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    return " ".join([words, *bounds, *([f"({schema['format']})"] if "format" in schema else [])])


def _text(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


# --- links and shell blocks -------------------------------------------------------------------------------------------

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def slug(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    words = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page."""
    text = FENCED.sub("", page.read_text())
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE):
        name = slug(heading)
        found.append(f"{name}-{found.count(name)}" if name in found else name)
    return {*found, *re.findall(r'<a (?:id|name)="([^"]+)"', text)}


def broken_links() -> Iterator[str]:
    """Yield links of all pages that lead to no file or no heading; those to other sites are not asked."""
    for page in pages():
        for target in map("".join, LINK.findall(FENCED.sub("", page.read_text()))):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists():
                yield f"{page.relative_to(ROOT)}: {target}: there is no such file"
            elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                yield f"{page.relative_to(ROOT)}: {target}: there is no such heading"


def shell_blocks(page: Path) -> list[tuple[str, str]]:
    """Return the shell blocks of a page, each with the comment above it, which is empty where there is none."""
    found = re.finditer(
        r"(?:^(<!-- [^\n]* -->)\n)?^```(?:sh|bash|console|shell)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL
    )
    return [(each[1] or "", each[2]) for each in found]


def unexplained_comments() -> Iterator[str]:
    """Yield comments above shell blocks that say neither why a block is not run, nor why it ends with 1."""
    for page in pages():
        for comment, block in shell_blocks(page):
            if comment and not (NOT_RUN.fullmatch(comment) or ENDS_WITH_1.fullmatch(comment)):
                yield f"{page.relative_to(ROOT)}: {block.splitlines()[0]}: what does {comment!r} mean?"


def made() -> dict[Path, str]:
    """Return the pages that are made of the code, with what is to stand there."""
    from smart_boiler_plugin.api.routes import show_openapi

    return {ROOT / "docs/settings.md": settings_page(), ROOT / "docs/api.md": api_page(show_openapi())}


def main() -> None:
    """Make, check, and exit with 1 where something is wrong."""
    wrong = []
    for page, text in made().items():
        if not page.exists() or page.read_text() != text:
            page.write_text(text)
            wrong.append(f"{page.relative_to(ROOT)} was out of date, and is written anew: commit it")
    wrong += [*broken_links(), *unexplained_comments()]
    for told in wrong:
        print(told)
    if wrong:
        sys.exit(1)
    print(f"{len(pages())} pages: all that is made is up to date, and all links lead somewhere.")


if __name__ == "__main__":
    main()
