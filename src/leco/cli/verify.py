"""`leco verify`."""

from typing import Annotated, Any

import typer

from leco.calibration import VerificationOptions
from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import DATA_HELP, Device, Json, ModelPath, with_options
from leco.devices import AUTO
from leco.settings import SourceOptions

NEW_HELP = f"Texts that are new to the model and its calibration. {DATA_HELP}"


@with_options(VerificationOptions(), SourceOptions())
def command(
    path: ModelPath,
    data: Annotated[str, typer.Option("--data", help=NEW_HELP, metavar="DATA")],
    options: dict[str, Any],
    device: Device = AUTO,
    json: Json = False,
) -> None:
    """Test a model's certificate on new texts; exit code 1 where they lose surely more than its bound.

    Without labels this goes where the certificate is about disagreement with full depth.

    Example: leco verify reviews-model --data newer-reviews.csv
    """
    with quiet_stdout():
        from leco.certifying import verify

        found = verify(path, data, device=device, **options)
    if json:
        print_json(found.to_dict())
    else:
        print_lines(found.certificate.sentence(), found.sentence())
    if found.exceeded:
        raise typer.Exit(1)
