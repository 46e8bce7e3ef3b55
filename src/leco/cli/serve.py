"""`leco serve`."""

import sys
from typing import Any

import typer

from leco.calibration import MonitorOptions
from leco.cli.output import print_json
from leco.cli.parameters import Device, Json, ModelPath, with_options
from leco.devices import AUTO
from leco.loading import PredictorSpec
from leco.options import fill
from leco.runtime import monitor_options
from leco.serving.options import ENVIRONMENT, ServingOptions


@with_options(ServingOptions(), MonitorOptions(), environment=ENVIRONMENT)
def command(path: ModelPath, options: dict[str, Any], device: Device = AUTO, json: Json = False) -> None:
    """Serve a model folder or an ONNX file over HTTP: texts leave at their exits, and are answered at once.

    Each setting is also an environment variable, such as LECO_PORT. LECO_API_KEY, or a file, holds the token. The
    playground is at /, the description of the interface at /docs. With --json the address is an object on stdout.

    Example: leco serve reviews-model --port 8000
    """
    from leco.serving.server import serve

    spec = PredictorSpec(path, device=device)

    def say_where(address: str) -> None:
        if json:
            print_json({"address": address})
            sys.stdout.flush()

    raise typer.Exit(serve(spec, fill(ServingOptions(), options), monitor_options(options), say_where))
