"""`leco report`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from leco.cli.next_commands import command_line, source_of
from leco.cli.output import print_json, print_lines, quiet_stdout, say_doubt
from leco.cli.parameters import HELD_OUT_HELP, Device, Json, ModelFolder, load_texts, with_options
from leco.devices import AUTO
from leco.files import write_text
from leco.options import fill
from leco.settings import REPORT_TIMING, SourceOptions


@with_options(SourceOptions(), REPORT_TIMING)
def command(
    folder: ModelFolder,
    options: dict[str, Any],
    data: Annotated[str | None, typer.Option("--data", help=HELD_OUT_HELP, metavar="DATA")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The page's file; by default report.html in DIR.", metavar="FILE")
    ] = None,
    device: Device = AUTO,
    json: Json = False,
) -> None:
    """Write one HTML page that shows the model: scores, curves, where texts leave, the exits, the search, the costs.

    It needs no network and no server. With --data, what the folder lacks is evaluated, as by 'leco evaluate', and kept
    there, and the page shows texts; without, it shows what there is and says what is missing.

    Example: leco report rte-model --data glue/rte
    """
    with quiet_stdout(), ExitStack() as stack:
        from leco.evaluation.files import MARKS
        from leco.folders import SHORTLY, check_writable, holding
        from leco.model import load_model
        from leco.outputs import check_output, check_outputs
        from leco.report import MARK, gather, render

        timing = fill(REPORT_TIMING, options)
        model = load_model(folder, device)
        say_doubt(model)
        path = output if output is not None else folder / "report.html"
        check_output(path, MARK.encode())
        check_writable(path.parent)
        if data is not None:
            check_outputs(folder, MARKS, "folder")
            stack.enter_context(holding(folder, "folder"))
        texts = None if data is None else load_texts(data, options, model)
        content = gather(folder, model, texts, **vars(timing))
        if data is None or path.parent.resolve() != folder.resolve():
            stack.enter_context(holding(path.parent, wait=SHORTLY))
        write_text(path, render(content))
    if json:
        print_json({"report": str(path), "missing": content.missing})
    else:
        print_lines(f"Saved as {path}; open it in a browser.")
        again = {"data": data or content.source, "output": output, **source_of(options)}
        if content.evaluation is not None and not content.evaluation.measured:
            print_lines(
                "Its curves are over the layers saved; with the speedup of every setting, measured in minutes:",
                f"  {command_line('report', folder, **again, time_curves=True)}",
            )
        if content.missing:
            line = command_line("report", folder, **again)
            print_lines(f"Not on it: {'; '.join(content.missing)}. This adds them:", f"  {line}")
