"""`leco bench`."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import HELD_OUT_HELP, Device, Json, ModelPath, evaluated_texts, with_options
from leco.cli.tables import print_table
from leco.options import fill
from leco.settings import SourceOptions

if TYPE_CHECKING:
    from leco.bench import Row

COLUMNS = "way", ">score", ">layers", ">time", "range", ">ms", ">p90", ">p99", ">texts/s"


@with_options(SourceOptions())
def command(
    path: ModelPath,
    options: dict[str, Any],
    onnx: Annotated[
        Path | None,
        typer.Option("--onnx", help="A file that 'leco export' wrote of DIR; by default made here."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            help="What to time beside it, several by comma: pytorch, onnx-fp32, onnx-int8, first:K (the backbone's "
            "first K layers, fine-tuned here), the folder of a Transformers classifier, or another model's folder or "
            "ONNX file.",
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help=f"By default what the model in DIR was trained on. {HELD_OUT_HELP}")
    ] = None,
    texts: Annotated[int, typer.Option("--texts", min=1, help="Time this many of the test texts.")] = 200,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often each is timed, in turn.")] = 5,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Folder for bench.json, bench.png and what is trained; by default DIR/bench."),
    ] = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Time a model here, in ONNX Runtime, beside the plain one at full depth, in turn, on real texts.

    Of an ONNX file alone, the plain model is the file itself by settings with which no text leaves.

    Example: leco bench leco-demo --onnx leco-demo/model-int8.onnx --against pytorch,onnx-fp32,first:2
    """
    with quiet_stdout(), ExitStack() as stack:
        from leco.bench import MARKS, Contenders, FileContenders, bench, draw
        from leco.bench.contenders import compared
        from leco.environment import machine, versions
        from leco.files import write_json
        from leco.folders import holding
        from leco.loading import is_file, load
        from leco.model import load_model
        from leco.outputs import check_outputs
        from leco.run_folder import trained_on

        source = fill(SourceOptions(), options)
        folder = path.parent if is_file(path) else path
        model = None if is_file(path) else load_model(path)
        read = evaluated_texts(data or trained_on(folder), options, model or load(path))
        work = output or folder / "bench"
        check_outputs(work, MARKS)
        stack.enter_context(holding(work))
        contenders: Contenders | FileContenders = FileContenders(path, device)
        if model is not None:
            contenders = Contenders(model, folder, work, source.glue_dir, device)
        wanted = [name for text in against or () for name in text.split(",")]
        rows = bench(compared(contenders, onnx, wanted), read, texts=texts, rounds=rounds)
        result = {
            "data": read.name,
            "metric": read.metric,
            "texts": min(texts, len(read.test)),
            "rounds": rounds,
            "rows": [asdict(row) for row in rows],
            "machine": machine(),
            "versions": versions(),
        }
        write_json(work / "bench.json", result)
        draw(work / "bench.png", rows, read.metric)
    if json:
        print_json(result)
    else:
        _print(rows, result, work)


def _print(rows: Sequence["Row"], result: dict[str, Any], work: Path) -> None:
    print_lines(
        f"{result['data']}: {result['texts']} test texts, {result['rounds']} rounds; score on all test texts.",
        "Time is a ratio to the plain model in the same runtime; the plain model again shows how far off it may be.",
        "",
    )
    for size in sorted({row.batch_size for row in rows}):
        lines = [_cells(row) for row in rows if row.batch_size == size]
        print_table(COLUMNS, lines, f"batch size {size}")
    print_lines(f"Saved in {work}: bench.json, bench.png.")


def _cells(row: "Row") -> tuple[str, ...]:
    return (
        row.way,
        f"{row.score:.4f}",
        f"{row.layers:.0%}",
        f"{row.ratio:.2f}",
        f"{row.ratio_low:.2f}-{row.ratio_high:.2f}",
        f"{row.median_ms:.2f}",
        f"{row.p90_ms:.2f}",
        f"{row.p99_ms:.2f}",
        f"{row.texts_per_second:.0f}",
    )
