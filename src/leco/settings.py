"""Groups of settings that every part may know: of the data's source, exits, a criterion's choice, timing, tables.

Those of a run and its training are in `leco.training.options`, those of a search in `leco.search.options`; all of them
together are `leco.presets.Options`.
"""

from dataclasses import dataclass
from pathlib import Path

from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.options import option, validate
from leco.problems import TASKS

AUTO = "auto"
"""The name under which the exit criterion is chosen too, among all that fit the problem."""
LEARNED = "learned"
"""The name of exits that are searched."""
LOCAL, RAY = ENGINES = ("local", "ray")
"""Where many things are done: on this machine, or by a cluster."""


@dataclass(frozen=True)
class SourceOptions:
    """Where the texts and labels are."""

    glue_dir: Path | None = option(
        None, "Folder with GLUE's files; by default $GLUE_DIR, and without it the Hub is asked.", identifies=False
    )
    text_columns: tuple[str, ...] | None = option(
        None, "Column with the text, or two for pairs. Guessed if not given.", identifies=False
    )
    label_column: tuple[str, ...] | None = option(
        None,
        "Column with the label, or several of 0 and 1, one for each of many labels. Guessed if not given.",
        identifies=False,
    )
    label_separator: str | None = option(
        None, "What stands between many labels in a text, such as '|'. Lists need none.", identifies=False
    )
    delimiter: str | None = option(
        None, "What separates the cells of a file: one character, or tab. Found if not given.", identifies=False
    )
    encoding: str | None = option(
        None, "Encoding of a file, such as cp1252. By default its byte-order mark's, or UTF-8.", identifies=False
    )
    header: bool | None = option(
        None, "Whether a file's first line names the columns. Asked where it may not.", identifies=False
    )
    data_config: str | None = option(
        None, "Configuration of a Hub data set that has several; NAME:CONFIG is the same.", identifies=False
    )
    task: str | None = option(
        None,
        f"What labels are: {', '.join(TASKS)}. By default what they look like.",
        choices=TASKS,
        identifies=False,
    )

    def __post_init__(self) -> None:
        validate(self)
        for name in ("label_separator", "data_config"):
            if getattr(self, name) == "":
                raise LecoError(f"{parameter(name)} must be one character or more, not ''.")


def layer_numbers(text: str | None) -> tuple[int, ...]:
    """The numbers of layers that are written by comma; none for None. LecoError where they are none.

    >>> layer_numbers("2, 4,06")
    (2, 4, 6)
    """
    try:
        return () if text is None else tuple(map(int, text.split(",")))
    except ValueError:
        raise LecoError(
            f"{parameter('exit_layers')} must be numbers of layers by comma, such as 2,4,6, not '{shortened(text)}'."
        ) from None


@dataclass(frozen=True)
class ExitOptions:
    """Which exits are trained."""

    exits: str | None = option(
        None, "learned, linear, mha, paper:rte, paper:sst-2 or a file. Default: the strategy's own, or learned."
    )
    exit_layers: str | None = option(
        None,
        "Only these layers have an exit, by comma, the last among them: 2,4,6. 0 is the embeddings. Default: each.",
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.exit_layers is not None:  # by which runs are told apart, so that "2, 4" is "2,4"
            object.__setattr__(self, "exit_layers", ",".join(map(str, layer_numbers(self.exit_layers))))


@dataclass(frozen=True)
class ChoiceOptions:
    """How the exit criterion and its settings are chosen."""

    criterion: str = option(
        AUTO,
        "Exit criterion, with settings, or without if they are to be chosen on dev; auto chooses the criterion too.",
    )
    max_drop: float = option(0.01, "Dev score that exiting may cost, 0 to 1.", minimum=0, maximum=1)
    prune_exits: bool = option(
        False, "Drop, once trained, exits without which texts of dev take less time at a score within that drop."
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class TimingOptions:
    """How speedups are measured."""

    repeats: int = option(10, "How often the test texts are timed.", minimum=1)
    timed_texts: int | None = option(None, "Time this many test texts only; None is all.", minimum=1)
    time_curves: bool = option(
        True, "Measure the speedup of every setting on the curves, which takes minutes; or show the layers saved."
    )

    def __post_init__(self) -> None:
        validate(self)


FIT_TIMING = TimingOptions(repeats=3, timed_texts=300)
"""At the end of a run, for the chosen criterion."""

SHORT_TIMING = TimingOptions(timed_texts=50)
"""For the curves of all criteria, which have hundreds of points."""

REPORT_TIMING = TimingOptions(repeats=5, timed_texts=50, time_curves=False)
"""For a page that is to be there within a minute or so."""


@dataclass(frozen=True)
class TablesOptions:
    """Which cells of the paper's tables are run, and how."""

    tasks: str = option("rte,mrpc,cola,sst-2,qnli,qqp,mnli", "GLUE's tasks, by comma.")
    seeds: int = option(5, "Seeds of each cell: 0 to N - 1.", minimum=1)
    only: str | None = option(None, "Only cells with this, or one of these by comma, in their names.")
    model: str = option("albert-base-v2", "Pretrained encoder: a folder or a name on the Hugging Face Hub.")
    preset: str = option("paper", "Named options: quick, sampling or paper (section 6.3).")
    search_preset: str | None = option(None, "Named options of the searches; by default the preset.")
    train_rows: str | None = option(None, "Train on a sample: ROWS, or TASK=ROWS by comma.")
    timed_texts: int | None = option(None, "Figure 2: measure speedups on so many texts, not all.", minimum=1)
    jobs: int = option(1, "Cells at a time; they share the threads.", minimum=1)
    engine: str = option(
        LOCAL, "Where cells run: local (processes of this machine) or ray (tasks of a cluster).", choices=ENGINES
    )
    ray_address: str | None = option(
        None, "Address of a Ray cluster; by default $RAY_ADDRESS, or else one that is started here."
    )

    def __post_init__(self) -> None:
        validate(self)
