"""The parameters that commands share, and flags made from option dataclasses."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from leco.criteria import Criterion, check_deployable, parse_criterion
from leco.devices import DEVICE_HELP
from leco.errors import LecoError
from leco.options import help_of, naming, setting_names, settings_of
from leco.search.options import SearchOptions
from leco.settings import AUTO
from leco.training.options import RunOptions, TrainingOptions

if TYPE_CHECKING:
    from leco.data import TextData
    from leco.runtime import Predictor

Function = TypeVar("Function", bound=Callable[..., Any])

PRESET_HELP = "Named options: sampling, quick (with a shorter search and a lower rate of exits) or paper (section 6.3)."
MODEL_HELP = "Pretrained encoder: a folder, a name on the Hugging Face Hub, or demo/all-MiniLM-L6-v2."
DATA_HELP = (
    "glue/TASK, demo/rotten_tomatoes, a file (CSV, TSV, JSONL, Parquet, also .gz), a folder, or a Hub data set's name."
)
HELD_OUT_HELP = f"{DATA_HELP} All of a file is the test set, unless the model was trained on it."

Backbone = Annotated[str, typer.Option("--model", help=MODEL_HELP, metavar="NAME_OR_DIR")]
Data = Annotated[str, typer.Option("--data", help=DATA_HELP, metavar="DATA")]
HeldOut = Annotated[str, typer.Option("--data", help=HELD_OUT_HELP, metavar="DATA")]
Output = Annotated[
    Path, typer.Option("--output", help="Folder for everything that the run makes; a killed run continues there.")
]
ModelFolder = Annotated[
    Path, typer.Argument(help="Folder of a multi-exit model, as 'leco fit' saves it.", metavar="DIR")
]
ModelPath = Annotated[
    Path,
    typer.Argument(
        help="Folder of a multi-exit model, as 'leco fit' saves it, or an ONNX file that 'leco export' made of one.",
        metavar="DIR|FILE",
    ),
]
Device = Annotated[str, typer.Option("--device", help=f"{DEVICE_HELP} ONNX files run on the processor.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and everything else on stderr.")]

CriterionText = Annotated[
    str | None,
    typer.Option(
        "--criterion",
        help="A criterion with settings, such as cobee:tau=0.1,patience=2; by default the model's own.",
    ),
]

Preset = Annotated[str, typer.Option("--preset", help=PRESET_HELP)]

PAPER = (RunOptions, TrainingOptions, SearchOptions)
"""The groups whose defaults are the paper's, in whose place presets have others."""

FLAGS = {"text_columns": "--text-column"}
"""The flags that are not named like their settings: what may be given time and again is singular."""


def part(group: Any, *names: str) -> tuple[Any, tuple[str, ...]]:
    """Some settings of a group only, for `with_options`."""
    return group, names


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
    with naming("criterion"):
        if text == AUTO:
            raise LecoError(
                f"'{AUTO}' chooses a criterion in 'leco fit' and 'leco train'. Leave it out for the model's own, or "
                "name one with settings."
            )
        check_deployable(text.partition(":")[0])
        return parse_criterion(text)


def load_texts(data: str, options: Mapping[str, Any], predictor: "Predictor", *, choosing: bool = False) -> "TextData":
    """The data of `evaluated_texts` with the tokens of dev and test; a line says how many texts are cut.

    With `choosing`, settings must be chosen on them: a test set without a dev split is halved.
    """
    from leco.data import in_halves
    from leco.evaluation import tokenized
    from leco.progress import say

    read = evaluated_texts(data, options, predictor, borrow_dev=not choosing)
    return tokenized(in_halves(read, say) if choosing and not len(read.dev) else read, predictor, say)


def evaluated_texts(
    data: str, options: Mapping[str, Any], predictor: "Predictor", *, borrow_dev: bool = False
) -> "TextData":
    """The data that `--data` names for a trained model, read as its training data were, but for what flags say.

    With `borrow_dev` their dev split is that of the training, if they have none.
    """
    from leco.evaluation import data_for

    with naming("data"):
        return data_for(predictor, data, options, borrow_dev=borrow_dev)


def with_options(*groups: Any, environment: str | None = None) -> Callable[[Function], Function]:
    """Give a command a flag for each setting of `groups`, which hold the defaults, or of a `part` of one.

    The values of the flags that are given reach the function as one dictionary, its parameter `options`. With a prefix
    `environment`, each setting may be given as a variable of that name, too.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [parameter for name, parameter in signature.parameters.items() if name != "options"]
        parts = [one if isinstance(one, tuple) else (one, setting_names(one)) for one in groups]
        flags = [_flag(group, name, environment) for group, names in parts for name in names]

        def command(**values: Any) -> Any:
            given = {one.name: values.pop(one.name) for one in flags}
            return function(**values, options={name: value for name, value in given.items() if value is not None})

        parameters = [*own, *flags]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__doc__, command.__name__ = function.__doc__, function.__name__
        return command  # type: ignore[return-value]

    return decorate


def _flag(group: Any, name: str, environment: str | None) -> inspect.Parameter:
    """The parameter for one setting: without a default of its own, since groups and presets have theirs."""
    hint, flag = settings_of(group)[name][1], flag_of(name)
    hint = {tuple[str, ...] | None: list[str]}.get(hint, hint)
    switch = f"{flag}/--no-{flag[2:]}" if hint in (bool, bool | None) else flag
    settings = typer.Option(
        switch,
        envvar=None if environment is None else f"{environment}{name.upper()}",
        help=help_of(group, name, "paper" if isinstance(group, PAPER) else "default"),
        rich_help_panel=f"{type(group).__name__.removesuffix('Options')} options",
    )
    annotation: Any = Annotated[hint | None, settings]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def flag_of(name: str) -> str:
    """The flag of a setting."""
    return FLAGS.get(name, "--" + name.replace("_", "-"))
