"""`leco fit`."""

from pathlib import Path
from typing import Any

from leco.cli.next_commands import command_line, predict_line, source_of
from leco.cli.output import print_certificate, print_evaluation, print_json, quiet_stdout
from leco.cli.parameters import Backbone, Data, Json, Output, Preset, with_options
from leco.presets import DEFAULT_PRESET, DEFAULTS, FIT


@with_options(*DEFAULTS.groups(FIT))
def command(
    model: Backbone,
    data: Data,
    output: Output,
    options: dict[str, Any],
    preset: Preset = DEFAULT_PRESET,
    json: Json = False,
) -> None:
    """Search exits, train, choose the exit criterion's settings, evaluate and save.

    Example: leco fit --model bert-base-uncased --data reviews.csv --output reviews-model
    """
    run(model, data, output, preset, options, json=json)


def run(model: str, data: str, output: Path, preset: str, options: dict[str, Any], *, json: bool) -> None:
    """Fit, and print what came of it."""
    with quiet_stdout():
        from leco.cli.contest import print_contest
        from leco.evaluation import read_evaluation
        from leco.pipeline import RESULTS, fit
        from leco.training.log import preset_of

        trained = fit(model, data, output, preset=preset, **options)
        results, named = read_evaluation(output / RESULTS).to_dict(), preset_of(output)
    if json:
        held = trained.certificate
        print_json(results if held is None else {**results, "certificate": held.to_dict()})
    else:
        print_contest(output)
        print_certificate(trained)
        evaluate = command_line("evaluate", output, data=data, **source_of(options))
        commands = [predict_line(output, trained.text_columns), evaluate]
        print_evaluation(results, preset=named, next_commands=commands, output=output)
