"""The parameters that commands share, and flags made from option dataclasses."""

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from leco.options import flag

Function = TypeVar("Function", bound=Callable[..., Any])

MODEL_HELP = "Pretrained encoder: a folder, a name on the Hugging Face Hub, or demo/all-MiniLM-L6-v2."
DATA_HELP = "glue/TASK, demo/rotten_tomatoes, a file (CSV, TSV, JSONL, Parquet), a folder, or a Hub data set's name."

Backbone = Annotated[str, typer.Option("--model", help=MODEL_HELP, metavar="NAME_OR_DIR")]
Data = Annotated[str, typer.Option("--data", help=DATA_HELP, metavar="DATA")]
Output = Annotated[
    Path, typer.Option("--output", help="Folder for everything that the run makes; a killed run continues there.")
]
ModelFolder = Annotated[
    Path, typer.Argument(help="Folder of a multi-exit model, as 'leco fit' saves it.", metavar="DIR")
]
GlueDir = Annotated[
    Path | None,
    typer.Option("--glue-dir", envvar="GLUE_DIR", help="Folder with GLUE's files; else the Hub is asked."),
]
TextColumns = Annotated[
    list[str] | None, typer.Option("--text-column", help="Column with the text; twice for pairs. Guessed if not given.")
]
LabelColumn = Annotated[str | None, typer.Option("--label-column", help="Column with the label. Guessed if not given.")]
Preset = Annotated[str, typer.Option("--preset", help="Named set of options: quick or paper (section 6.3).")]
Exits = Annotated[str, typer.Option("--exits", help="learned, linear, mha, paper:rte, paper:sst-2 or a file.")]
CriterionName = Annotated[str, typer.Option("--criterion", help="Exit criterion; its settings are chosen on dev.")]
MaxDrop = Annotated[
    float, typer.Option("--max-drop", min=0, max=1, help="Dev score that early exiting may cost, 0 to 1.")
]
Repeats = Annotated[int, typer.Option("--repeats", min=1, help="How often the test texts are timed.")]
TimedTexts = Annotated[int | None, typer.Option("--timed-texts", min=1, help="Time this many test texts only.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and everything else on stderr.")]


def with_options(*groups: type, passed_as: str = "options") -> Callable[[Function], Function]:
    """Give a command a flag for each field of the dataclasses `groups`.

    The flags that a user gives reach the function as one dictionary, its parameter `passed_as`.
    """

    def decorate(function: Function) -> Function:
        names = [field.name for group in groups for field in fields(group)]
        signature = inspect.signature(function)
        own = [parameter for name, parameter in signature.parameters.items() if name != passed_as]
        flags = [_flag(group, field) for group in groups for field in fields(group)]

        def command(**values: Any) -> Any:
            given = {name: values.pop(name) for name in names}
            return function(**values, **{passed_as: {name: v for name, v in given.items() if v is not None}})

        command.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *flags]}
        command.__doc__, command.__name__ = function.__doc__, function.__name__
        return command  # type: ignore[return-value]

    return decorate


def _flag(group: type, field: Field[Any]) -> inspect.Parameter:
    """The parameter for one field: without a default of its own, since presets have theirs."""
    hint: Any = get_type_hints(group)[field.name]
    switch = f"{flag(field.name)}/--no-{flag(field.name)[2:]}" if hint is bool else flag(field.name)
    panel = f"{group.__name__.removesuffix('Options')} options"
    settings = typer.Option(switch, help=f"{field.metadata['help']} (paper: {field.default})", rich_help_panel=panel)
    annotation: Any = Annotated[hint | None, settings]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
