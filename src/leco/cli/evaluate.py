"""`leco evaluate`."""

from typing import Annotated

import typer

from leco.cli.output import print_evaluation, print_json, quiet_stdout
from leco.cli.parameters import Data, GlueDir, Json, LabelColumn, MaxDrop, ModelFolder, Repeats, TextColumns, TimedTexts
from leco.criteria import parse_criterion

CriterionText = Annotated[
    str | None,
    typer.Option(
        "--criterion",
        help="A criterion with settings, such as cobee:tau=0.1,patience=2, or its name alone to choose them on dev; "
        "by default the model's own.",
    ),
]


def command(
    folder: ModelFolder,
    data: Data,
    criterion: CriterionText = None,
    max_drop: MaxDrop = 0.01,
    glue_dir: GlueDir = None,
    text_columns: TextColumns = None,
    label_column: LabelColumn = None,
    repeats: Repeats = 10,
    timed_texts: TimedTexts = None,
    json: Json = False,
) -> None:
    """Score every exit and the exit criterion on the test split, and measure the speedup by really exiting.

    Example: leco evaluate rte-model --data glue/rte --criterion patience:patience=3
    """
    with quiet_stdout():
        from leco.data import encode, load_data
        from leco.evaluation import align_labels, choose_criterion, evaluate
        from leco.job import check_criterion
        from leco.model import load_model
        from leco.options import naming
        from leco.progress import say

        chosen = None
        if criterion is not None:
            check_criterion(criterion.partition(":")[0])
            with naming("--criterion"):
                chosen = parse_criterion(criterion)
        model = load_model(folder)
        with naming("--data"):
            texts = load_data(data, glue_dir=glue_dir, text_columns=text_columns, label_column=label_column, log=say)
        texts = align_labels(texts, model)
        encode(model.tokenizer, [*texts.dev.texts, *texts.test.texts], model.max_length, log=say)  # says what is cut
        if chosen is not None:
            if criterion == chosen.name:
                chosen = choose_criterion(model, texts, criterion, max_drop)
            model.config.exit_criterion = chosen.to_dict()
        results = evaluate(model, texts, repeats=repeats, timed_texts=timed_texts).to_dict()
    print_json(results) if json else print_evaluation(results, folder, saved=False)
