"""The criterion's settings chosen for a file: int8 moves what the exits say, and thresholds with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from leco.criteria import DOUBTS, EVIDENCE, Criterion, Observed
from leco.data import Encoding, Split, TextData, padding
from leco.evaluation.scores import Stored, choose_setting
from leco.evaluation.tokens import tokens
from leco.export.early_exit import ModelWriter
from leco.export.graph import serialized
from leco.model import MultiExitModel
from leco.progress import progress_bar
from leco.runtime.engine import batches_by_length
from leco.runtime.session import open_session
from leco.tokens import pad


@dataclass(frozen=True)
class Quality:
    """What a `criterion` does on the test split.

    Its `score`, the last exit's (`full_depth_score`), and as `mean_exit_layer`, of M, where texts leave.
    """

    criterion: Criterion
    score: float
    full_depth_score: float
    mean_exit_layer: float


def choose_for(
    model: MultiExitModel, data: TextData, criterion: Criterion, max_drop: float | None, *, int8: bool, opset: int
) -> Quality:
    """The quality of a file of `model`; with `max_drop`, of the settings of the `criterion` that dev then chooses.

    They are the fastest on the dev split of `data` whose score is at most `max_drop` under full depth's, by what the
    exits say in the file's own precision, `int8` or float32, in operators of version `opset`.
    """
    graph = ModelWriter(model, int8=int8, opset=opset).all_exits()
    if max_drop is not None:
        dev = stored(graph, model, data.dev, data.metric, "dev")
        criterion = choose_setting(type(criterion), dev, model.task, max_drop).criterion
    test = stored(graph, model, data.test, data.metric, "test")
    layers = test.exit_layers(criterion, model.task)
    return Quality(criterion, test.at(layers), test.score_of(test.scores[-1]), float(layers.mean()))


def stored(graph: onnx.ModelProto, model: MultiExitModel, split: Split, metric: str, name: str) -> Stored:
    """What all exits say of a split, by a graph that `ModelWriter.all_exits` made."""
    encodings = tokens(model, split)
    with progress_bar(f"running all exits on {name} in ONNX Runtime", len(encodings)) as advance:
        scores, observed = exit_outputs(graph, model, encodings, advance)
    return Stored(scores, split, metric, model.config.problem_type, observed, model.task.exit_layers)


def exit_outputs(
    graph: onnx.ModelProto, model: MultiExitModel, encodings: Sequence[Encoding], advance: Any, batch_size: int = 32
) -> tuple[NDArray[Any], Observed]:
    """What every exit says of every text [E, N, K], and what else criteria may observe of it, [E, N, ..]."""
    session = open_session(serialized(graph))
    wanted = [value.name for value in session.get_inputs()]
    outputs, order = [], list[int]()
    for rows in batches_by_length(encodings, batch_size):
        batch = pad([encodings[row] for row in rows], padding(model.tokenizer))
        outputs.append(session.run(["scores", DOUBTS, EVIDENCE], {name: batch[name] for name in wanted}))
        order.extend(rows)
        advance(len(rows))
    places = np.argsort(order)
    scores, doubts, evidence = (np.concatenate(some, axis=1)[:, places] for some in zip(*outputs, strict=True))
    return scores, {DOUBTS: doubts, EVIDENCE: evidence}
