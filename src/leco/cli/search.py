"""`leco search`."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from leco.cli.output import print_json, quiet_stdout
from leco.cli.parameters import Backbone, Data, GlueDir, Json, LabelColumn, Output, Preset, TextColumns, with_options
from leco.exits.architecture import EDGES, ExitArchitecture
from leco.search.options import SearchOptions
from leco.training.options import RunOptions


@with_options(RunOptions, SearchOptions)
def command(
    model: Backbone,
    data: Data,
    output: Output,
    preset: Preset = "quick",
    glue_dir: GlueDir = None,
    text_columns: TextColumns = None,
    label_column: LabelColumn = None,
    json: Json = False,
    options: dict[str, object] | None = None,
) -> None:
    """Search the architecture of each layer's exit, and write it as a file for 'leco train --exits'.

    Example: leco search --model bert-base-uncased --data glue/rte --output rte-search
    """
    with quiet_stdout():
        from leco import pipeline

        found = pipeline.search(
            model,
            data,
            output,
            preset=preset,
            glue_dir=glue_dir,
            text_columns=text_columns,
            label_column=label_column,
            **(options or {}),
        )
    path = output / pipeline.ARCHITECTURES
    if json:
        print_json({"architectures": [architecture.to_dict() for architecture in found], "file": str(path)})
    else:
        _print(found, path, model, data)


def _print(architectures: list[ExitArchitecture], path: Path, model: str, data: str) -> None:
    table = Table("layer", *(edge.replace("_", " ") for edge in EDGES))
    for layer, architecture in enumerate(architectures, start=1):
        table.add_row(str(layer), *(getattr(architecture, edge) for edge in EDGES))
    out = Console(highlight=False, soft_wrap=True)
    out.print(table)
    out.print(f"Saved as {path}; search.png beside it shows the search. Next:")
    out.print(f"  leco train --model {model} --data {data} --exits {path} --output NEW_FOLDER", markup=False)
