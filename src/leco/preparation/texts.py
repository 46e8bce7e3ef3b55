"""The data of a run, what its parts have in common, and whether its criterion is defined for them."""

from leco.criteria import Task
from leco.data import DataSource, TextData, check_dev, load_data, with_metric
from leco.display import listed
from leco.options import naming
from leco.preparation.encoder import Encoder
from leco.preparation.methods import Methods
from leco.presets import Options
from leco.progress import say
from leco.sketches import words_of


def read_texts(source: DataSource, options: Options) -> TextData:
    """The data set of that name; LecoError, naming the setting, for what is wrong with it."""
    with naming("data"):
        run = options.run
        texts = load_data(
            source,
            train_rows=run.train_rows,
            calibration_share=run.calibration_share,
            log=say,
            **vars(options.source),
        )
    texts = with_metric(texts, options.run.metric)
    with naming("data"):
        check_dev(texts, say)
    _say_shared(texts)
    return texts


def _say_shared(texts: TextData) -> None:
    """Say how many rows of each part that chooses, scores or certifies have a text on which the model is trained."""
    parts = {"dev": texts.dev, "test": texts.test, "calibration": texts.calibration}
    known = set(map(words_of, texts.train.texts))
    shared = [
        f"{number:,} of {len(split):,} {part} rows"
        for part, split in parts.items()
        if split is not None and (number := sum(words_of(text) in known for text in split.texts))
    ]
    if shared:
        say(
            f"warning: '{texts.name}': the texts of {listed(shared)} are in train too. What is chosen, scored or "
            "certified by them says little about other texts."
        )


def check_criterion(methods: Methods, encoder: Encoder, texts: TextData) -> None:
    """Raise LecoError where the criterion that is named is not defined for the data's kind of problem."""
    task = Task(texts.num_outputs, encoder.num_layers, texts.problem_type, exit_layers=encoder.exit_layers)
    with naming("criterion"):
        if methods.criterion is not None:
            methods.criterion.start(1, task)
        elif len(methods.criteria) == 1:
            methods.criteria[0]().start(1, task)
