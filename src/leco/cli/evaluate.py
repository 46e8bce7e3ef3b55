"""`leco evaluate`."""

from typing import Any

from leco.cli.output import print_evaluation, print_json, quiet_stdout
from leco.cli.parameters import (
    MAX_DROP,
    SOURCE,
    CriterionText,
    Data,
    Json,
    ModelFolder,
    chosen_criterion,
    timing,
    with_options,
)


@with_options(shared={**MAX_DROP, **SOURCE, **timing(repeats=10, timed_texts=None)})
def command(
    folder: ModelFolder,
    data: Data,
    options: dict[str, Any],
    criterion: CriterionText = None,
    json: Json = False,
) -> None:
    """Score every exit and the exit criterion on the test split, and measure the speedup by really exiting.

    Example: leco evaluate rte-model --data glue/rte --criterion patience:patience=3
    """
    with quiet_stdout():
        from leco.data import encode, load_data
        from leco.evaluation import align_labels, choose_criterion, evaluate
        from leco.model import load_model
        from leco.options import naming
        from leco.progress import say

        chosen = chosen_criterion(criterion)
        model = load_model(folder)
        with naming("--data"):
            texts = load_data(data, **{name: options.pop(name) for name in SOURCE}, log=say)
        texts = align_labels(texts, model)
        encode(model.tokenizer, [*texts.dev.texts, *texts.test.texts], model.max_length, log=say)  # says what is cut
        max_drop = options.pop("max_drop")
        if chosen is not None:
            if criterion == chosen.name:
                chosen = choose_criterion(model, texts, chosen.name, max_drop)
            model.config.exit_criterion = chosen.to_dict()
        results = evaluate(model, texts, **options).to_dict()
    print_json(results) if json else print_evaluation(results, folder, saved=False)
