"""What holds of all pages for people; `make docs` checks the same."""

from pathlib import Path

import pytest

from scripts import docs

README = docs.ROOT / "README.md"


def test_all_links_lead_to_a_file_and_a_heading():
    assert list(docs.broken_links()) == []


def test_broken_links_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("# Two words, `code`\n```\n[no](link.md)\n```\n[up](../README.md#none)\n")
    (tmp_path / "README.md").write_text(
        "# Top\n[a](docs/a.md#two-words-code) [b](docs/b.md) ![picture](docs/p.png) [c](docs/a.md#three) [d](https://x.y)\n"
    )
    assert list(docs.broken_links()) == [
        "README.md: docs/b.md: there is no such file",
        "README.md: docs/p.png: there is no such file",
        "README.md: docs/a.md#three: there is no such heading",
        "docs/a.md: ../README.md#none: there is no such heading",
    ]


def test_comments_above_shell_blocks_say_why():
    assert list(docs.unexplained_comments()) == []


def test_a_shell_block_is_found_with_the_comment_above_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- why -->\n```sh\na\nb\n```\n\n```json\n{}\n```\n\n```sh\nc\n```\n")
    assert docs.shell_blocks(page) == [("<!-- why -->", "a\nb\n"), ("", "c\n")]


def test_the_readme_is_short_and_leads_to_every_page():
    text = README.read_text()
    assert len(text.splitlines()) <= 200
    for page in docs.pages():
        if page != README:
            assert f"]({page.relative_to(docs.ROOT)})" in text, page


@pytest.mark.parametrize("page", docs.pages(), ids=lambda page: page.name)
def test_no_page_has_a_path_of_somebodys_machine_or_an_index_that_has_the_plugin_not(page: Path):
    text = page.read_text()
    assert "pip install smart-boiler-plugin\n" not in text
    assert "/root/" not in text
    assert "/work/" not in text
