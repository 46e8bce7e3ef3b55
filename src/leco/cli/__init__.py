"""The command line: one thin file for each command."""

import sys
import warnings
from typing import Any

import typer

from leco.cli import demo, evaluate, fit, predict, search, train
from leco.errors import LecoError
from leco.progress import console, say

app = typer.Typer(
    name="leco",
    help="Make Transformer encoders answer early: search exits, train, choose when to leave, measure.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (fit, search, train, evaluate, predict, demo):
    app.command(module.__name__.rpartition(".")[2])(module.command)


def main() -> None:
    """Run the command line; a user's mistake is one message on stderr and exit code 2."""
    warnings.showwarning = _say_warning
    try:
        app()
    except LecoError as error:
        console.print("error:", style="bold red", end=" ")
        say(str(error))
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)


def _say_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Users read warnings that are meant for them; the rest stays silent."""
    if category is UserWarning:
        say(f"warning: {message}")
