"""`leco calibrate`."""

from typing import Annotated, Any

import typer

from leco.calibration import CalibrationOptions
from leco.cli.next_commands import command_line, source_of
from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import DATA_HELP, Device, Json, ModelPath, with_options
from leco.devices import AUTO
from leco.settings import SourceOptions

NEW_HELP = f"Texts that are new to the model; with --loss disagreement without labels, too. {DATA_HELP}"
CRITERION_HELP = "A criterion, of which settings are tried, auto for all, or one with settings; by default the model's."


@with_options(CalibrationOptions(), SourceOptions())
def command(
    path: ModelPath,
    data: Annotated[str, typer.Option("--data", help=NEW_HELP, metavar="DATA")],
    options: dict[str, Any],
    criterion: Annotated[str | None, typer.Option("--criterion", help=CRITERION_HELP)] = None,
    device: Device = AUTO,
    json: Json = False,
) -> None:
    """Choose when texts leave so that what it costs has a bound, with a confidence, and keep the certificate.

    The settings are tried from full depth on, in an order that other texts have fixed, until the texts do not certify
    the next one. Where they certify none, the model answers at full depth. An ONNX file is calibrated on its own
    answers. 'leco verify' tests the certificate on new texts.

    Example: leco calibrate reviews-model --data new-reviews.csv --max-drop 0.02 --confidence 0.9
    """
    with quiet_stdout():
        from leco.certifying import calibrate

        made = calibrate(path, data, criterion=criterion, device=device, **options)
    if json:
        print_json(made.to_dict())
        return
    print_lines(
        made.sentence(),
        f"Texts leave by {made.exits}: at layer {made.mean_exit_layer:.2f} on average. Saved in {path}. Next:",
        f"  {command_line('verify', path, data='NEW_DATA', **source_of(options))}",
    )
