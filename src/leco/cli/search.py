"""`leco search`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leco.cli.next_commands import command_line
from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import Backbone, Data, Json, Output, Preset, with_options
from leco.cli.tables import print_table
from leco.options import setting_names
from leco.presets import DEFAULT_PRESET, DEFAULTS, TRAIN

NEW = "NEW_FOLDER"


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
        known = {name for group in DEFAULTS.groups(TRAIN) for name in setting_names(group)}
        given = {name: value for name, value in options.items() if name in known}
        named = None if preset == DEFAULT_PRESET else preset
        train = command_line("train", model=model, data=data, exits=path, output=NEW, preset=named, **given)
        _print(found, path, train)


def _print(architectures: Sequence[Mapping[str, object]], path: Path, train: str) -> None:
    edges = [name for name in architectures[0] if name not in ("kind", "width")]
    rows = [(layer, *(architecture[edge] for edge in edges)) for layer, architecture in enumerate(architectures, 1)]
    print_table((">layer", *(edge.replace("_", " ") for edge in edges)), rows)
    print_lines(
        f"Saved as {path}; search.png beside it shows the search. Next:",
        f"  {train}",
    )
