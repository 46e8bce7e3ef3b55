"""The Pythons that the package names are those that are checked, here and hosted."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_the_same_pythons_are_named_everywhere():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r"Python :: (3\.\d+)\"", project)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == named
    (looped,) = re.findall(r"\$\{PYTHONS:-(.*)\};", (ROOT / ".ci" / "matrix").read_text(encoding="utf-8"))
    assert looped.split() == named
    oldest, newest = named[0], named[-1]
    assert f'requires-python = ">={oldest},<3.{int(newest.split(".")[1]) + 1}"' in project
    assert f'python_version = "{oldest}"' in project
    assert f'target-version = "py{oldest.replace(".", "")}"' in project
