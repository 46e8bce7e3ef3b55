"""`leco export`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from leco.cli.next_commands import command_line, predict_line, source_of
from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import (
    DATA_HELP,
    CriterionText,
    Json,
    ModelFolder,
    chosen_criterion,
    load_texts,
    part,
    with_options,
)
from leco.options import fill
from leco.registry import format_settings
from leco.settings import ChoiceOptions, SourceOptions


@with_options(SourceOptions(), part(ChoiceOptions(), "max_drop"))
def command(
    folder: ModelFolder,
    options: dict[str, Any],
    to: Annotated[str, typer.Option("--to", help="The format: onnx.")] = "onnx",
    output: Annotated[
        Path | None, typer.Option("--output", help="The file to write; by default in DIR.", metavar="FILE")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="The backbone's matrices as 8-bit integers; settings are chosen anew.")
    ] = False,
    opset: Annotated[int, typer.Option("--opset", help="ONNX opset of the file.")] = 18,
    criterion: CriterionText = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help=f"With --int8, by default what DIR was trained on; of another file a half is dev. {DATA_HELP}",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write a model as one file that exits early by itself in ONNX Runtime, whatever the language.

    Example: leco export leco-demo --to onnx --int8
    """
    with quiet_stdout():
        from leco.errors import unknown_name
        from leco.export import MARK, choose_for, export_onnx, kept_certificate
        from leco.folders import SHORTLY, check_writable, holding
        from leco.model import load_model
        from leco.options import naming
        from leco.outputs import check_output
        from leco.progress import say
        from leco.run_folder import SETTINGS, trained_on

        if to != "onnx":
            raise unknown_name("format (--to)", to, ["onnx"])
        choice = fill(ChoiceOptions(), options)
        chosen = chosen_criterion(criterion)
        model = load_model(folder)
        chosen = chosen or model.config.criterion
        with naming("criterion"):
            chosen.check(model.task)
        path = output or folder / ("model-int8.onnx" if int8 else "model.onnx")
        check_output(path, MARK)
        check_writable(path.parent)
        result: dict[str, Any] = {"file": str(path), "opset": opset, "int8": int8}
        if int8:
            texts = load_texts(data or trained_on(folder), options, model, choosing=True)
            before = choose_for(model, texts, chosen, None, int8=False, opset=opset)
            settled = criterion is not None and ":" in criterion
            after = choose_for(model, texts, chosen, None if settled else choice.max_drop, int8=True, opset=opset)
            chosen = after.criterion
            result["data"], result["metric"] = texts.name, texts.metric
            for name, quality in (("float32", before), ("int8", after)):
                result[name] = {**asdict(quality), "criterion": quality.criterion.to_dict()}
        if model.certificate is not None and kept_certificate(model, chosen, int8=int8) is None:
            say(f"The certificate is left out, since it is not for these answers: 'leco calibrate {path}' makes one.")
        with holding(path.parent, wait=SHORTLY):
            export_onnx(model, path, criterion=chosen, int8=int8, opset=opset)
        result |= {"criterion": chosen.to_dict(), "bytes": path.stat().st_size}
    if json:
        print_json(result)
        return
    for name in ("float32", "int8") if int8 else ():
        quality = result[name]
        settings = format_settings(quality["criterion"])
        print_lines(
            f"{name}: {result['metric']} {quality['score']:.4f} by {quality['criterion']['name']}({settings}), "
            f"mean exit layer {quality['mean_exit_layer']:.2f}; {quality['full_depth_score']:.4f} at full depth"
        )
    timed_on = data or (None if (folder / SETTINGS).is_file() else "NEW_DATA")
    print_lines(
        f"Saved {path} ({result['bytes'] / 2**20:.0f} MiB): tokens in, probabilities and exit layers out. Next:",
        f"  {predict_line(path, model.text_columns)}",
        f"  {command_line('bench', folder, onnx=path, data=timed_on, **source_of(options))}",
    )
