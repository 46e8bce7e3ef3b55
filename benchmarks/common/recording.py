"""Results of scripts as JSON with the machine beside them, and pages that are written from these."""

import json
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from leco.environment import machine, versions
from leco.files import write_json, write_text

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ASSETS = DOCS / "assets"
"""All pictures of the pages."""


def result_path(name: str) -> Path:
    """Where a result is: FOLDER/results/NAME.json of FOLDER/NAME, such as `benchmarks/demo`."""
    folder, file = name.split("/")
    return ROOT / folder / "results" / f"{file}.json"


def script() -> str:
    """The module that runs, as `python -m` takes it."""
    return str(sys.modules["__main__"].__spec__.name)


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """Write the rows, with the command and the machine, to `result_path(name)`; print them, but for tables in them."""
    arguments = [argument.rstrip("/").rsplit("/", 1)[-1] for argument in sys.argv[1:]]  # folders without where they lie
    command = shlex.join(["python", "-m", script(), *arguments])
    about = {**machine(), **versions(), "onnxruntime": version("onnxruntime")}
    write_json(result_path(name), {"command": command, "machine": about, "rows": rows})
    for row in rows:
        values = {key: f"{value:.3f}" if isinstance(value, float) else str(value) for key, value in row.items()}
        print("  ".join(f"{key}={value}" for key, value in values.items() if "{" not in value))


def read(name: str) -> dict[str, Any]:
    """What `report` wrote."""
    return dict(json.loads(result_path(name).read_text(encoding="utf-8")))


def source(result: dict[str, Any]) -> str:
    """The line below a table that says where it comes from: the command, the machine and the versions."""
    machine = result["machine"]
    runtime = f", ONNX Runtime {machine['onnxruntime']}" if "onnxruntime" in machine else ""
    return (
        f"`{result['command']}`, {machine['date']}, {machine['processor']}, {machine['threads']} threads, "
        f"Python {machine['python']}, PyTorch {machine['torch']}, Transformers {machine['transformers']}{runtime}."
    )


def write_between(page: Path, begin: str, end: str, text: str) -> None:
    """Put `text` into a page in place of what stands between its two markers."""
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    write_text(page, f"{before}{begin}\n\n{text}\n\n{end}{after}")
