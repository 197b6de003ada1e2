"""Whether a page fits its window, and can be read by a screen reader."""

from pathlib import Path

LOOKS = (Path(__file__).parent / "looks.js").read_text()

SERIOUS = {"serious", "critical"}


def assert_fits(page):
    """Assert that nothing is wider than the window, and no text or control lies on another."""
    wrong = page.evaluate(f"() => {{ {LOOKS} return [...looks.spilling(), ...looks.overlapping()]; }}")
    assert not wrong, wrong


def assert_accessible(page, modules):
    """Assert that axe-core finds nothing serious in what is ours: the host's menu and footer are its own."""
    # by the debugger's protocol, so that a page's policy holds all the same
    page.evaluate((modules / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("() => axe.run('main', {preload: false})")
    told = [
        f"{each['id']} ({each['impact']}): {node['html'][:120]}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
    assert not told, told
