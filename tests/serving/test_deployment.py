"""The recipes of deployment: what they name exists, and they are what their readers expect."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from leco.calibration import MonitorOptions
from leco.options import setting_names
from leco.serving.options import ENVIRONMENT, ServingOptions

FOLDER = Path(__file__).parents[2] / "deploy"
VARIABLES = {
    f"{ENVIRONMENT}{name.upper()}" for group in (ServingOptions(), MonitorOptions()) for name in setting_names(group)
} | {f"{ENVIRONMENT}API_KEY"}


@pytest.fixture(scope="module")
def manifests():
    return list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))


def test_the_manifest_asks_and_sets_what_there_is(manifests):
    deployment, service = manifests
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {one["name"] for one in container["env"]} <= VARIABLES
    paths = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    source = (FOLDER.parent / "src/leco/serving/app.py").read_text()
    assert all(f'"{path}"' in source for path in paths)
    assert container["ports"][0]["containerPort"] == ServingOptions().port
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= ServingOptions().timeout + 5


def test_the_manifest_follows_its_schema(manifests):
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for manifest in manifests:
        validate.validate(manifest, "1.30", strict=True)


def test_the_unit_sets_what_there_is():
    lines = (FOLDER / "leco.service").read_text().splitlines()
    given = [word for line in lines if line.startswith("Environment=") for word in line.split("=", 1)[1].split()]
    assert {word.split("=")[0] for word in given} <= VARIABLES
    stop = next(int(line.split("=")[1]) for line in lines if line.startswith("TimeoutStopSec="))
    assert stop >= ServingOptions().timeout + 5


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_reads_the_unit(tmp_path):
    unit = tmp_path / "leco.service"
    unit.write_text((FOLDER / "leco.service").read_text().replace("/opt/leco/bin/leco", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
