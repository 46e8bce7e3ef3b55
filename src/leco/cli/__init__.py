"""The command line: one thin file for each command."""

import sys
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import typer

from leco import __version__
from leco.cli import (
    bench,
    calibrate,
    demo,
    evaluate,
    export,
    fit,
    predict,
    report,
    reproduce,
    search,
    serve,
    train,
    verify,
)
from leco.cli.flags import flags
from leco.cli.output import print_lines
from leco.cli.streams import check_arguments, drop_stdout, prepare_streams
from leco.errors import LecoError, parameters_shown
from leco.extras import needed
from leco.launcher import count
from leco.progress import close_bars, console, say

INTERRUPTED = 130
TOGETHER = ("fit", "search", "train", "demo")
"""The commands that several processes run together."""

app = typer.Typer(
    name="leco",
    help="Make Transformer encoders answer early: search exits, train, choose when to leave, measure.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (fit, search, train, calibrate, evaluate, verify, report, predict, export, bench, serve, reproduce, demo):
    app.command(module.__name__.rpartition(".")[2])(module.command)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_lines(f"leco {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    if count() > 1 and context.invoked_subcommand not in TOGETHER:
        raise LecoError(
            f"'leco {context.invoked_subcommand}' runs in one process, but {count()} were started. Run it without "
            f"torchrun or accelerate launch, which are for: {', '.join(TOGETHER)}."
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake is one message on stderr and exit code 2."""
    warnings.showwarning = _say_warning
    try:
        try:
            prepare_streams()
            check_arguments(sys.argv[1:] if arguments is None else arguments)
            with needed(), parameters_shown(flags(app)):
                code = app(arguments, standalone_mode=False)
            sys.stdout.flush()
        finally:
            close_bars()
    except LecoError as error:
        code = _fail(str(error))
    except BrokenPipeError:  # whoever read stdout has enough
        drop_stdout()
        code = 1
    except OSError as error:
        if error.filename is None:  # of what was open already
            drop_stdout()
            code = _fail(f"Standard output cannot be written to ({error.strerror}). Send it to another place.")
        else:
            code = _fail(f"'{error.filename}' cannot be opened ({error.strerror}).")
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        code = _fail(_usage(error, sys.argv[1:] if arguments is None else arguments))
    if code == INTERRUPTED:
        say(
            "Interrupted. fit, search, train, calibrate and demo go on where they stopped if the command is repeated, "
            "and so does predict with folders."
        )
    sys.exit(code)


def _usage(error: Any, arguments: Sequence[str]) -> str:
    """What typer says of a flag that is unknown, lacks its value or has a wrong one, with that value."""
    flags = getattr(getattr(error, "param", None), "opts", ())
    given = [value for flag, value in pairwise(arguments) if flag in flags]
    given += [argument.partition("=")[2] for argument in arguments if argument.partition("=")[0] in flags]
    values = ", ".join(repr(value) for value in given if value)
    said = error.format_message().replace("Value error, ", "")
    return f"{said.rstrip(chr(46))}, not {values}." if values else said


def _fail(message: str) -> int:
    if not message:  # help has been printed
        return 2
    console.print("error:", style="bold red", end=" ")
    say(message)
    return 2


def _say_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Users read warnings that are meant for them; the rest stays silent."""
    if category is UserWarning:
        say(f"warning: {message}")
