"""The site is built without a warning, all its links lead somewhere, it asks nobody, and it has every public name."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import pages.__main__
from pages import DOCS, ROOT, settings
from pages.python import MODULES, public_names
from tests.pages import built

pytest.importorskip("zensical", reason="the site's builder is not installed: pip install 'leco[docs]'")

QUIET = ("Build started", "No issues found", "Build finished")
"""How the lines begin that say nothing is wrong."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of the site, built as `make docs` builds it, in a copy."""
    folder = tmp_path_factory.mktemp("site")
    pages.__main__.main()
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    for name in ("src", "pages"):  # the modules that are documented, and what reads them
        (folder / name).symlink_to(ROOT / name)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line and not line.startswith(QUIET)]
    assert (done.returncode, said) == (0, [])
    return built.pages(folder / "site")


def test_all_links_and_anchors_are_there(site):
    assert list(built.dead_links(site)) == []


def test_nothing_is_loaded_from_elsewhere(site):
    assert built.from_elsewhere(site) == []


def test_it_is_searched_without_a_server(site):
    """The index is a script, which a browser loads from a file, and the pages bring what runs the search there."""
    home = next(page for path, page in site.items() if path.name == "index.html" and "assets/drawn" not in str(path))
    assert any("iframe-worker" in one for one in home.loads)
    index = home.path.with_name("search.js").read_text(encoding="utf-8")
    assert all(words in index for words in ("Command line", "CalibrationOptions", "voids it"))


def test_examples_of_docstrings_are_code(site):
    shown = {path.stem: path.read_text(encoding="utf-8") for path in site if path.parent.name == "python"}
    assert [name for name, html in shown.items() if "<blockquote>" in html] == []
    assert '<span class="gp">&gt;&gt;&gt; </span>' in shown["leco.criteria"]


def test_an_example_ends_where_nothing_of_it_follows():
    from pages.doctests import fenced

    example = ">>> pad(some)\narray([[5],\n       [7]])"
    assert fenced(f"A batch.\n\n{example}\n\nMore.") == f"A batch.\n\n```pycon\n{example}\n```\n\nMore."
    assert (
        fenced("Args:\n    a: b\n\n    >>> a\n    b\n")
        == "Args:\n    a: b\n\n    ```pycon\n    >>> a\n    b\n    ```\n"
    )
    assert fenced("No `>>> ` here.") == "No `>>> ` here."


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_its_place(site, module):
    """Of `leco` itself, the criteria are on the page of their module."""
    anchors = {anchor for page in site.values() for anchor in page.anchors}
    found = import_module(module)
    paths = {name: [f"{module}.{name}"] for name in public_names(module)}
    if module == "leco":
        paths = {name: [*some, f"leco.criteria.{name}"] for name, some in paths.items()}
    assert [name for name, some in paths.items() if not anchors.intersection(some)] == [], found


def test_every_package_that_says_what_it_offers_is_documented():
    said = [path.parent for path in (ROOT / "src" / "leco").rglob("__init__.py") if "__all__" in path.read_text()]
    named = {".".join(folder.relative_to(ROOT / "src").parts) for folder in said}
    assert named - set(MODULES) == set()


def test_every_group_of_settings_is_on_the_page():
    """Whatever is made of options and called so."""
    sources = (ROOT / "src" / "leco").rglob("*.py")
    groups = {name for path in sources for name in re.findall(r"^class (\w+Options)\b", path.read_text(), re.M)}
    assert groups - {type(group).__name__ for group in settings.GROUPS} == set()


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages_there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert {page for page in pages_there if f": {page}\n" not in navigation} == set()
