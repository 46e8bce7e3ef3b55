"""`leco train`."""

from dataclasses import asdict
from typing import Any

from leco.cli.next_commands import command_line, source_of
from leco.cli.output import print_certificate, print_json, print_lines, quiet_stdout
from leco.cli.parameters import Backbone, Data, Json, Output, Preset, with_options
from leco.presets import DEFAULT_PRESET, DEFAULTS, TRAIN


@with_options(*DEFAULTS.groups(TRAIN))
def command(
    model: Backbone,
    data: Data,
    output: Output,
    options: dict[str, Any],
    preset: Preset = DEFAULT_PRESET,
    json: Json = False,
) -> None:
    """Train a multi-exit model, with exits of your choice, and choose the exit criterion's settings on dev.

    Example: leco train --model bert-base-uncased --data glue/rte --exits mha --output rte-mha
    """
    with quiet_stdout():
        from leco import pipeline
        from leco.cli.contest import print_contest
        from leco.training.log import TRAINING, TrainingLog

        trained = pipeline.train(model, data, output, preset=preset, **options)
    if json:
        log = TrainingLog.load(output / TRAINING)
        print_json({"model": str(output), "criterion": trained.config.exit_criterion, **asdict(log)})
    else:
        print_contest(output)
        print_certificate(trained)
        print_lines(
            f"Saved in {output}, with the criterion {trained.config.criterion}. Next:",
            f"  {command_line('evaluate', output, data=data, **source_of(options))}",
        )
