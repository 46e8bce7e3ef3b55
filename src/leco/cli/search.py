"""`leco search`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leco.cli.output import print_json, print_lines, print_table, quiet_stdout, quoted
from leco.cli.parameters import Backbone, Data, Json, Output, Preset, with_options
from leco.presets import DEFAULT_PRESET, DEFAULTS


@with_options(*DEFAULTS.groups(("source", "run", "search")))
def command(
    model: Backbone,
    data: Data,
    output: Output,
    options: dict[str, Any],
    preset: Preset = DEFAULT_PRESET,
    json: Json = False,
) -> None:
    """Search the architecture of each layer's exit, and write it as a file for 'leco train --exits'.

    Example: leco search --model bert-base-uncased --data glue/rte --output rte-search
    """
    with quiet_stdout():
        from leco import pipeline

        architectures = pipeline.search(model, data, output, preset=preset, **options)
        found = [architecture.to_dict() for architecture in architectures]
    path = output / pipeline.ARCHITECTURES
    if json:
        print_json({"architectures": found, "file": str(path)})
    else:
        _print(found, path, model, data)


def _print(architectures: Sequence[Mapping[str, object]], path: Path, model: str, data: str) -> None:
    edges = [name for name in architectures[0] if name not in ("kind", "width")]
    rows = [(layer, *(architecture[edge] for edge in edges)) for layer, architecture in enumerate(architectures, 1)]
    print_table((">layer", *(edge.replace("_", " ") for edge in edges)), rows)
    print_lines(
        f"Saved as {path}; search.png beside it shows the search. Next:",
        f"  leco train --model {quoted(model)} --data {quoted(data)} --exits {quoted(path)} --output NEW_FOLDER",
    )
