"""The parameters that commands share, and flags made from option dataclasses."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from leco.criteria import Criterion, check_deployable, parse_criterion
from leco.options import flag, naming

if TYPE_CHECKING:
    from leco.data import TextData
    from leco.model import MultiExitModel

Function = TypeVar("Function", bound=Callable[..., Any])

PRESET_HELP = (
    "Named options: quick, sampling (quick, with a longer search and a higher rate of exits) or paper (section 6.3)."
)
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
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and everything else on stderr.")]

CriterionText = Annotated[
    str | None,
    typer.Option(
        "--criterion",
        help="A criterion with settings, such as cobee:tau=0.1,patience=2; by default the model's own.",
    ),
]

Shared = Mapping[str, tuple[Any, Any]]
"""Parameters that several commands hand on to the library as they are: for each name its annotation and default."""

SOURCE: Shared = {
    "glue_dir": (
        Annotated[
            Path | None,
            typer.Option("--glue-dir", envvar="GLUE_DIR", help="Folder with GLUE's files; else the Hub is asked."),
        ],
        None,
    ),
    "text_columns": (
        Annotated[
            list[str] | None,
            typer.Option("--text-column", help="Column with the text; twice for pairs. Guessed if not given."),
        ],
        None,
    ),
    "label_column": (
        Annotated[str | None, typer.Option("--label-column", help="Column with the label. Guessed if not given.")],
        None,
    ),
}
MAX_DROP: Shared = {
    "max_drop": (
        Annotated[float, typer.Option("--max-drop", min=0, max=1, help="Dev score that exiting may cost, 0 to 1.")],
        0.01,
    ),
}
SEARCH: Shared = {
    "preset": (Annotated[str, typer.Option("--preset", help=PRESET_HELP)], "quick"),
    **SOURCE,
}
TRAIN: Shared = {
    "exits": (
        Annotated[
            str | None,
            typer.Option(
                "--exits",
                help="learned, linear, mha, paper:rte, paper:sst-2 or a file. Default: the strategy's own, or learned.",
            ),
        ],
        None,
    ),
    "criterion": (
        Annotated[str, typer.Option("--criterion", help="Exit criterion; its settings are chosen on dev.")],
        "cobee",
    ),
    **MAX_DROP,
    **SEARCH,
}


def timing(repeats: int, timed_texts: int | None) -> Shared:
    """How the speedup is measured, with these defaults."""
    return {
        "repeats": (
            Annotated[int, typer.Option("--repeats", min=1, help="How often the test texts are timed.")],
            repeats,
        ),
        "timed_texts": (
            Annotated[int | None, typer.Option("--timed-texts", min=1, help="Time this many test texts only.")],
            timed_texts,
        ),
    }


def chosen_criteria(texts: Sequence[str]) -> list[tuple[Criterion, bool]]:
    """The criteria that a user wrote, several in a text with commas between them, and whether each has settings.

    >>> [str(criterion) for criterion, _ in chosen_criteria(["cobee:tau=0.2,patience=2,static", "entropy:tau=0.5"])]
    ['cobee:tau=0.2,patience=2', 'static:layer=0', 'entropy:tau=0.5,normalized=false']
    """
    words = [word for text in texts for word in re.split(r",(?![^:,]*=)", text)]  # not at settings' own commas
    chosen = ((chosen_criterion(word), ":" in word) for word in words)
    return [(criterion, settled) for criterion, settled in chosen if criterion is not None]


def chosen_criterion(text: str | None) -> Criterion | None:
    """The criterion that a user wrote; LecoError, naming the flag, for one that is unknown or needs labels."""
    if text is None:
        return None
    with naming("--criterion"):
        check_deployable(text.partition(":")[0])
        return parse_criterion(text)


def load_texts(data: str, source: Mapping[str, Any], model: "MultiExitModel") -> "TextData":
    """The data that `--data` and the `SOURCE` parameters name, with the model's labels; lines say what is cut."""
    from leco.data import encode, load_data
    from leco.evaluation import align_labels
    from leco.progress import say

    with naming("--data"):
        read = load_data(data, **source, log=say)
    texts = align_labels(read, model)
    encode(model.tokenizer, [*texts.dev.texts, *texts.test.texts], model.max_length, log=say)
    return texts


def with_options(*groups: type, shared: Shared) -> Callable[[Function], Function]:
    """Give a command the `shared` parameters, and a flag for each field of the option dataclasses `groups`.

    Their values reach the function as one dictionary, its parameter `options`; flags not given are not in it.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [parameter for name, parameter in signature.parameters.items() if name != "options"]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in shared.items()
        ]
        flags = [_flag(group, field) for group in groups for field in fields(group)]

        def command(**values: Any) -> Any:
            options = {parameter.name: values.pop(parameter.name) for parameter in added}
            given = {parameter.name: values.pop(parameter.name) for parameter in flags}
            options.update({name: value for name, value in given.items() if value is not None})
            return function(**values, options=options)

        parameters = [*own, *added, *flags]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
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
