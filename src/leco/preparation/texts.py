"""The data of a run, and whether its criterion is defined for them."""

from leco.criteria import Task
from leco.data import DataSource, TextData, check_dev, load_data, with_metric
from leco.options import naming
from leco.preparation.encoder import Encoder
from leco.preparation.methods import Methods
from leco.presets import Options
from leco.progress import say


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
    return texts


def check_criterion(methods: Methods, encoder: Encoder, texts: TextData) -> None:
    """Raise LecoError where the criterion that is named is not defined for the data's kind of problem."""
    task = Task(texts.num_outputs, encoder.num_layers, texts.problem_type, exit_layers=encoder.exit_layers)
    with naming("criterion"):
        if methods.criterion is not None:
            methods.criterion.start(1, task)
        elif len(methods.criteria) == 1:
            methods.criteria[0]().start(1, task)
