"""`leco fit`."""

from leco.cli.output import print_evaluation, print_json, quiet_stdout
from leco.cli.parameters import (
    Backbone,
    CriterionName,
    Data,
    Exits,
    GlueDir,
    Json,
    LabelColumn,
    MaxDrop,
    Output,
    Preset,
    Repeats,
    TextColumns,
    TimedTexts,
    with_options,
)
from leco.files import read_json
from leco.presets import OPTION_GROUPS


@with_options(*OPTION_GROUPS)
def command(
    model: Backbone,
    data: Data,
    output: Output,
    preset: Preset = "quick",
    exits: Exits = "learned",
    criterion: CriterionName = "cobee",
    max_drop: MaxDrop = 0.01,
    glue_dir: GlueDir = None,
    text_columns: TextColumns = None,
    label_column: LabelColumn = None,
    repeats: Repeats = 3,
    timed_texts: TimedTexts = 300,
    json: Json = False,
    options: dict[str, object] | None = None,
) -> None:
    """Search exits, train, choose the exit criterion's settings, evaluate and save.

    Example: leco fit --model bert-base-uncased --data reviews.csv --output reviews-model
    """
    with quiet_stdout():
        from leco.pipeline import RESULTS, fit

        fit(
            model,
            data,
            output,
            preset=preset,
            exits=exits,
            criterion=criterion,
            max_drop=max_drop,
            glue_dir=glue_dir,
            text_columns=text_columns,
            label_column=label_column,
            repeats=repeats,
            timed_texts=timed_texts,
            **(options or {}),
        )
        results = read_json(output / RESULTS)
    print_json(results) if json else print_evaluation(results, output)
