"""What an exported file says of itself, checked against its graph: nothing in it is trusted but numbers and names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leco.calibration import Certificate
from leco.criteria import Criterion, Task, criterion_from_dict, setting_arrays
from leco.display import listed, shortened
from leco.errors import LecoError
from leco.files import parse_json
from leco.problems import PROBLEMS, LabelStatistics
from leco.provenance import Provenance
from leco.runtime.predictor import FLOAT32, INT8, INT8_BY_BATCH, INT8_BY_PROCESSOR
from leco.shapes import checked

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PREFIX, TOKENIZER = "leco.", "leco.tokenizer"
FULL_DEPTH = "full-depth"
"""The name of a graph without exits; others are named by their criterion."""
OUTPUTS = ("probabilities", "exit_layer")
TYPES = {"float32": "tensor(float)", "int64": "tensor(int64)", "bool": "tensor(bool)", "object": "tensor(string)"}
"""ONNX Runtime's names of NumPy's types."""


@dataclass(frozen=True)
class Metadata:
    """What a program must know to use a graph.

    Attributes:
        labels: the outputs' names [K].
        problem_type: Transformers' name of the kind of problem.
        layers: the number of layers.
        criterion: the exit criterion with its settings, as a dictionary.
        int8: whether the backbone's matrices are.
        max_length: the number of tokens to which texts are cut.
        padding: for each input what stands behind the last token.
        trained_on: the data of the training, as `Provenance.to_dict` has them; None of a file that does not say.
        certificate: what is promised of early answers, as `Certificate.to_dict` has it; None is nothing.
        std: the standard deviation of the values of the training, of a regression.
        exit_layers: the layers that have an exit, 0 for the embeddings; None is each layer.
        batch_invariant: whether a text has the same answer in any batch. In files of before, which do not say, int8
            activations of a batch share one range.
        processor_invariant: whether int8 is computed alike on all processors. In files of before, which do not say, x86
            processors without VNNI add up products in 16 bits, where some overflow.

    """

    labels: list[str]
    problem_type: str
    layers: int
    criterion: dict[str, Any]
    int8: bool
    max_length: int
    padding: dict[str, int]
    trained_on: dict[str, Any] | None = None
    certificate: dict[str, Any] | None = None
    std: float = 1.0
    exit_layers: list[int] | None = None
    batch_invariant: bool = False
    processor_invariant: bool = False

    @property
    def precision(self) -> str:
        """That of a `Predictor`."""
        if not self.int8:
            return FLOAT32
        if not self.batch_invariant:
            return INT8_BY_BATCH
        return INT8 if self.processor_invariant else INT8_BY_PROCESSOR

    def task(self) -> Task:
        """What criteria need to know; LecoError where it is the task of no model."""
        many = len(self.labels)
        if self.problem_type not in PROBLEMS:
            raise LecoError(f"there is no problem type '{shortened(self.problem_type)}'")
        if len(set(self.labels)) < many or not PROBLEMS[self.problem_type].fits(many):
            raise LecoError(f"its labels are {listed(self.labels) or 'none'}")
        if self.layers < 1 or self.max_length < 1:
            raise LecoError(f"it has {self.layers} layers and at most {self.max_length} tokens")
        statistics = LabelStatistics(std=self.std)
        if not statistics.fits(many):
            raise LecoError(f"its values have the standard deviation {self.std}")
        return Task(many, self.layers, self.problem_type, statistics, tuple(self.exit_layers or ()))


def read_metadata(session: "InferenceSession") -> tuple[dict[str, Any], Metadata, Criterion]:
    """All that the file says, what of it is needed, and the criterion; LecoError where that is not its graph's."""
    model = session.get_modelmeta()
    texts = {name: text for name, text in model.custom_metadata_map.items() if name.startswith(PREFIX)}
    said = {
        name.removeprefix(PREFIX): parse_json(text, f"its metadata '{name}'")
        for name, text in texts.items()
        if name != TOKENIZER
    }
    needed = {name: value for name, value in said.items() if name in Metadata.__dataclass_fields__}
    metadata = checked(Metadata, needed, "its metadata")
    task = metadata.task()
    criterion = criterion_from_dict(metadata.criterion)
    criterion.check(task)
    Provenance.from_dict(metadata.trained_on)
    Certificate.from_dict(metadata.certificate)
    if model.graph_name not in (criterion.name, FULL_DEPTH):
        raise LecoError(f"its metadata names the criterion '{criterion.name}', but its graph is '{model.graph_name}'")
    settings = {} if model.graph_name == FULL_DEPTH else setting_arrays(criterion)
    _check_inputs(session, {name: TYPES[str(value.dtype)] for name, value in settings.items()})
    _check_outputs(session, task)
    return said, metadata, criterion


def _check_inputs(session: "InferenceSession", settings: Mapping[str, str]) -> None:
    """LecoError unless the graph takes tokens and the criterion's settings, of the types given, and nothing else."""
    tokens = {value.name: value.type for value in session.get_inputs()}
    wanted = dict.fromkeys(("input_ids", "attention_mask"), "tensor(int64)")
    if tokens not in (wanted, {**wanted, "token_type_ids": "tensor(int64)"}):
        raise LecoError(f"its graph takes {listed(list(tokens))}, which are not tokens")
    given = {value.name: value.type for value in session.get_overridable_initializers()}
    if given != settings:
        names = listed(list(given)), listed(list(settings))
        raise LecoError("its graph has the settings {}, but its criterion has {}".format(*names))


def _check_outputs(session: "InferenceSession", task: Task) -> None:
    """LecoError unless the graph gives a score for each label, and the exit's layer."""
    outputs = {value.name: value for value in session.get_outputs()}
    if tuple(outputs) != OUTPUTS:
        raise LecoError(f"its graph gives {listed(list(outputs))}, not {listed(OUTPUTS)}")
    *_, number = outputs[OUTPUTS[0]].shape or [None]
    if number != task.num_outputs:
        raise LecoError(f"its graph gives {number} scores, but its metadata has {task.num_outputs} labels")
