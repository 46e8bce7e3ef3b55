"""The data of a run, and whether its criterion is defined for them."""

from leco.criteria import Task
from leco.data import TextData, load_data, with_metric
from leco.options import naming
from leco.preparation.encoder import Encoder
from leco.preparation.methods import Methods
from leco.presets import Options
from leco.progress import say


def read_texts(source: str, options: Options) -> TextData:
    """The data set of that name; LecoError, naming the setting, for what is wrong with it."""
    with naming("data"):
        texts = load_data(source, train_rows=options.run.train_rows, log=say, **vars(options.source))
    return with_metric(texts, options.run.metric)


def check_criterion(methods: Methods, encoder: Encoder, texts: TextData) -> None:
    """Raise LecoError where the criterion is not defined for the data's kind of problem."""
    with naming("criterion"):
        methods.criterion().start(1, Task(texts.num_outputs, encoder.num_layers, texts.problem_type))
