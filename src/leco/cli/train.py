"""`leco train`."""

from leco.cli.output import print_json, print_lines, quiet_stdout, quoted
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
    TextColumns,
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
    json: Json = False,
    options: dict[str, object] | None = None,
) -> None:
    """Train a multi-exit model, with exits of your choice, and choose the exit criterion's settings on dev.

    Example: leco train --model bert-base-uncased --data glue/rte --exits mha --output rte-mha
    """
    with quiet_stdout():
        from leco import pipeline

        trained = pipeline.train(
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
            **(options or {}),
        )
    if json:
        log = read_json(output / pipeline.TRAINING)
        print_json({"model": str(output), "criterion": trained.config.exit_criterion, **log})
    else:
        print_lines(
            f"Saved in {output}, with the criterion {trained.config.criterion}. Next:",
            f"  leco evaluate {quoted(output)} --data {quoted(data)}",
        )
