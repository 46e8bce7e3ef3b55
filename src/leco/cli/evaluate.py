"""`leco evaluate`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from leco.cli.next_commands import command_line, predict_line, source_of
from leco.cli.output import print_evaluation, print_json, quiet_stdout, say_doubt
from leco.cli.parameters import Device, HeldOut, Json, ModelPath, chosen_criteria, load_texts, part, with_options
from leco.devices import AUTO
from leco.loading import is_classifier, load
from leco.options import fill
from leco.settings import SHORT_TIMING, ChoiceOptions, SourceOptions
from leco.training.log import preset_of
from leco.training.options import RunOptions

HELP = "Criterion whose curve is wanted, by default all; several with commas or by repeating. The first one answers."


@with_options(SourceOptions(), part(ChoiceOptions(), "max_drop"), part(RunOptions(), "metric"), SHORT_TIMING)
def command(
    path: ModelPath,
    data: HeldOut,
    options: dict[str, Any],
    criterion: Annotated[list[str] | None, typer.Option("--criterion", help=HELP)] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Folder for evaluation.json, curves.csv and plots (PNG, SVG).")
    ] = None,
    device: Device = AUTO,
    json: Json = False,
) -> None:
    """Score every exit and the exit criterion on the test split, and draw the speedup-score curves of criteria.

    A file that the model was not trained on is the test set, all of it; the one that it was trained on is cut as then.
    It is read by the columns, and as the file, of the training. Dev rows are those of the data or of the training.

    The settings on a curve are chosen on dev and reported on test; speedups are measured by really exiting, at batch
    size 1. A criterion with settings, such as patience:patience=3, is the one that answers; without settings they are
    chosen on dev; without --criterion the model's own answers. An ONNX file says only what texts leave with: it is
    evaluated with one setting, and the scores of single exits and the curves are missing.

    Example: leco evaluate rte-model --data glue/rte --output rte-model
    """
    with quiet_stdout(), ExitStack() as stack:
        from leco.data import with_metric
        from leco.evaluation import applicable_criteria, choose_criterion, evaluate, save_evaluation
        from leco.evaluation.files import MARKS
        from leco.folders import holding
        from leco.options import naming
        from leco.outputs import check_outputs

        choice, timing = fill(ChoiceOptions(), options), fill(SHORT_TIMING, options)
        chosen = chosen_criteria(criterion or [])
        predictor = load(path, device=device)
        with naming("criterion"):
            for one, _ in chosen:
                one.check(predictor.task)
        if output is not None:
            check_outputs(output, MARKS)
            stack.enter_context(holding(output))
        texts = with_metric(load_texts(data, options, predictor), options.get("metric"))
        answering = None
        if chosen:
            first, settled = chosen[0]
            answering = first if settled else choose_criterion(predictor, texts, type(first), choice.max_drop)
        say_doubt(predictor, answering)
        names = list(dict.fromkeys(one.name for one, _ in chosen)) or applicable_criteria(predictor)
        found = evaluate(predictor, texts, criterion=answering, criteria=names, **vars(timing))
        saved = save_evaluation(found, output) if output is not None else []
    results = found.to_dict()
    if json:
        print_json(results)
    else:
        commands = [predict_line(path, predictor.text_columns)]
        if not is_classifier(path):  # which has no early answers
            seen = "report" if path.is_dir() else "bench"
            commands.append(command_line(seen, path, data=data, **source_of(options)))
        files = [path.name for path in saved]
        print_evaluation(results, preset=preset_of(path), next_commands=commands, saved=files, output=output)
