"""What others read of the package: version, files of the template's layout, the image."""

import ast
import os
import re
from configparser import ConfigParser
from pathlib import Path

import pytest

import smart_boiler_plugin
from smart_boiler_plugin.version import VERSION

ROOT = Path(__file__).parents[2]


def test_the_version_stands_in_one_place_and_in_the_changelog():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["metadata"]["version"] == "attr: smart_boiler_plugin.version.VERSION"
    assert smart_boiler_plugin.__version__ == VERSION
    changes = re.findall(
        r"^## \[(\S+)\](?: - (\d{4}-\d{2}-\d{2}))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert changes[-1] == ("0.1.0", "2026-11-22")
    assert VERSION in [version for version, _ in changes]
    assert all(day for version, day in changes if version != "Unreleased")


def test_no_metadata_name_a_host_that_is_made_up():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert not {"url", "project_urls", "download_url", "author_email"} & set(config["metadata"])
    assert config["metadata"]["author"]


# --- the layout of FlexMeasures' plugins -----------------------------------------------------------------------------


def copied():
    """Return what the Dockerfile copies, and where to."""
    lines = re.findall(r"^COPY (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return [(source, line.split()[-1]) for line in lines for source in line.split()[:-1]]


def test_the_image_is_made_of_files_that_are_there_and_let_in():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    sources = [source.rstrip("/") for source, _ in copied()]
    assert all((ROOT / source).exists() for source in sources)
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in let_in if line.startswith("!")} == set(sources)
    # what the build reads, beside the package
    needed = {"setup.cfg", "pyproject.toml", config["metadata"]["long_description"].removeprefix("file: ")}
    needed |= {config["metadata"]["license_files"], *config["options.data_files"]["share/smart-boiler-plugin"].split()}
    assert needed | {"smart_boiler_plugin"} == set(sources)
    (target,) = {Path(target).parts[:3] for _, target in copied()}
    assert f"pip install --no-cache-dir {'/'.join(target)[1:]}" in (ROOT / "Dockerfile").read_text()


ENV = "FLEXMEASURES_PLUGIN_TEMPLATE"

OURS_INSTEAD = {
    ".flake8": "pyproject.toml",  # ruff
    "run_mypy.sh": "pyproject.toml",
    "setup.py": "setup.cfg",
    "requirements/Readme.md": "CONTRIBUTING.md",
    **{f"requirements/{name}.in": "setup.cfg" for name in ("app", "dev", "test")},
    **{f"requirements/{name}.txt": "requirements.lock" for name in ("app", "dev", "test")},
    "smart_boiler_plugin/api/somedata.py": "smart_boiler_plugin/api/routes.py",
    "smart_boiler_plugin/api/tests/test_api.py": "tests/host/test_take_on.py",
    "smart_boiler_plugin/cli/commands.py": "smart_boiler_plugin/cli/customers.py",
    "smart_boiler_plugin/cli/tests/__init__.py": "tests/host/test_command_line.py",
    "smart_boiler_plugin/cli/tests/test_cli.py": "tests/host/test_command_line.py",
    "smart_boiler_plugin/conftest.py": "tests/host/conftest.py",
    "smart_boiler_plugin/ui/templates/base_smart_boiler_plugin.html": "smart_boiler_plugin/ui/templates",
    "smart_boiler_plugin/ui/templates/smart_boiler_plugin_dashboard.html": "smart_boiler_plugin/ui/templates",
    "smart_boiler_plugin/ui/tests/test_views.py": "tests/host",
    "smart_boiler_plugin/ui/views/__init__.py": "smart_boiler_plugin/ui/__init__.py",
    "smart_boiler_plugin/ui/views/dashboard.py": "smart_boiler_plugin/ui",
    # loads twice, as routes are attached when blueprints are registered
    "smart_boiler_plugin/utils.py": "smart_boiler_plugin/__init__.py",
    # a bot that makes branches of issues; a choice of who hosts the repository
    ".github/issue-branch.yml": ".github",
}
"""Where we have what the template has elsewhere."""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The folder of a plugin of our name, as the template renders it."""
    template = os.environ.get(ENV)
    if not template:
        pytest.skip(f"{ENV} names no checkout of FlexMeasures/flexmeasures-plugin-template")
    from cookiecutter.main import cookiecutter  # noqa: PLC0415 (takes a moment)

    folder = tmp_path_factory.mktemp("rendered")
    said = {"plugin_name": "smart-boiler-plugin", "module_name": "smart_boiler_plugin"}
    settings = folder / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {folder}\nreplay_dir: {folder}\n")
    return Path(
        cookiecutter(template, no_input=True, extra_context=said, output_dir=str(folder), config_file=str(settings))
    )


def test_what_the_template_has_we_have(rendered):
    files = {str(file.relative_to(rendered)) for file in rendered.rglob("*") if file.is_file()}
    assert len(files) > 20
    assert set(OURS_INSTEAD) <= files
    for name in files:
        assert (ROOT / OURS_INSTEAD.get(name, name)).exists(), name


def test_make_image_and_blueprints_are_called_as_in_the_template(rendered):
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (rendered / "Makefile").read_text(), re.MULTILINE))
    ours = " ".join(re.findall(r"^([a-z -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)).split()
    # uv, which is in the lock, does what pip-tools does there
    assert targets - {"install-pip-tools"} <= set(ours)
    lines = (rendered / "Dockerfile").read_text().splitlines()
    assert lines[0] in (ROOT / "Dockerfile").read_text().splitlines()
    init = (rendered / "smart_boiler_plugin/__init__.py").read_text()
    for name, called in re.findall(r'^(\w+_bp): Blueprint = Blueprint\(\n\s+"([^"]+)"', init, re.MULTILINE):
        assert getattr(smart_boiler_plugin, name).name == called
    workflow = (ROOT / ".github/workflows/lint-and-test.yml").read_text()
    theirs = (rendered / ".github/workflows/lint-and-test.yml").read_text()
    jobs = r"^  ([a-z]+):$"
    assert set(re.findall(jobs, theirs, re.MULTILINE)) <= set(re.findall(jobs, workflow, re.MULTILINE))


def test_each_step_of_the_workflow_is_a_target_of_make():
    workflow = (ROOT / ".github/workflows/lint-and-test.yml").read_text()
    named = re.findall(r"- run: make (\S+)", workflow)
    makefile = (ROOT / "Makefile").read_text()
    assert {"lint", "docs", "test", "test-install"} == set(named)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)
    assert '["3.10", "3.11", "3.12"]' in workflow


def test_no_class_is_made_of_a_generic_field_which_marshmallow_3_has_not():
    """FlexMeasures has marshmallow 3 on Python 3.10: there the server would not start."""
    for file in (ROOT / "smart_boiler_plugin").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                assert not [base for base in map(ast.unparse, node.bases) if re.search(r"\bField\[", base)], file
