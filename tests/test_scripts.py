"""The scripts of `benchmarks/` and `studies/` can be imported, and their READMEs say what each is for."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "studies")
MODULES = [path for folder in FOLDERS for path in (ROOT / folder).rglob("[a-z]*.py")]
SCRIPTS = [path for path in MODULES if path.parent.name in FOLDERS]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_are_there(path):
    import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_readme_has_the_command(path):
    assert f"python -m {path.parent.name}.{path.stem}" in (path.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_readme_names_no_script_that_is_not_there(folder):
    lines = (ROOT / folder / "README.md").read_text(encoding="utf-8").splitlines()
    named = {line.split("`")[1] for line in lines if line.startswith("| `")}
    assert named == {path.name for path in SCRIPTS if path.parent.name == folder} - {"render.py"}


def test_the_committed_records_are_those_that_the_page_shows():
    from studies.common.paper_tables import RESULTS, by_seed

    assert [one.name for one in by_seed() if one not in RESULTS] == []
