"""What goes over the wire: the bodies of requests and answers."""

from itertools import combinations
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = str | tuple[str, str]


def _one_of_each(schema: dict[str, Any]) -> None:
    """Say in the schema what the validator holds: `texts` or `inputs`, and at most one way to say when texts leave."""
    given = {"texts": {"type": ["string", "array"]}, "inputs": {"type": ["string", "array"]}}
    schema["oneOf"] = [
        {"required": [name], "properties": {name: given[name], other: {"type": "null"}}}
        for name, other in (("texts", "inputs"), ("inputs", "texts"))
    ]
    ways = {"criterion": {"type": "string"}, "max_drop": {"type": "number"}, "full_depth": {"const": True}}
    schema["allOf"] = [
        {"not": {"required": list(pair), "properties": {name: ways[name] for name in pair}}}
        for pair in combinations(ways, 2)
    ]
    schema["properties"]["raw_scores"]["const"] = False
    schema["examples"] = [{"texts": ["a wonderful film", "so dull"]}, {"inputs": "a wonderful film"}]


class PredictRequest(BaseModel):
    """Texts that are to be answered: `texts`, or `inputs` as text-embeddings-inference has them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_one_of_each)

    texts: str | list[Text] | None = Field(
        default=None, description="A text, or a list of texts; a pair is a list of two in it."
    )
    inputs: str | tuple[str, str] | list[tuple[str] | tuple[str, str]] | None = Field(
        default=None,
        description="A text, a pair, or a list of lists of one or two; the answer is a list of labels and scores.",
    )
    criterion: str | None = Field(default=None, description="Another exit criterion, such as cobee:tau=0.1,patience=2.")
    full_depth: bool = Field(default=False, description="Run all layers.")
    max_drop: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="What early answers may cost; it must be no less than the certificate promises.",
    )
    scores: Literal["label", "all"] = Field(default="label", description="The score of the label, or of all labels.")
    layers: bool = Field(
        default=False, description="What the exit on each layer says, and where other criteria would leave."
    )
    truncate: bool | None = Field(
        default=None, description="Taken for compatibility: texts that are too long are always cut."
    )
    truncation_direction: Literal["Right", "right", None] = Field(default=None, description="Right alone.")
    raw_scores: bool = Field(
        default=False, description="Taken for compatibility: scores are always probabilities or values."
    )

    @model_validator(mode="after")
    def _check(self) -> "PredictRequest":
        if (self.texts is None) == (self.inputs is None):
            raise ValueError("give either 'texts' or 'inputs'")
        if sum((self.criterion is not None, self.full_depth, self.max_drop is not None)) > 1:
            raise ValueError("give one of 'criterion', 'full_depth' and 'max_drop'")
        if self.raw_scores:
            raise ValueError("'raw_scores' cannot be had: scores are probabilities, or values")
        return self

    def sequences(self) -> list[Text]:
        """The texts and pairs."""
        if self.inputs is None:
            return self.texts if isinstance(self.texts, list) else [self.texts]  # type: ignore[list-item]
        if isinstance(self.inputs, list):
            return [one[0] if len(one) == 1 else one for one in self.inputs]
        return [self.inputs]

    @property
    def single(self) -> bool:
        """Whether one text was given, and no list of them."""
        return not isinstance(self.texts if self.inputs is None else self.inputs, list)


class Layer(BaseModel):
    """What the exit on a layer says."""

    layer: int
    scores: dict[str, float]


class TextAnswer(BaseModel):
    """The answer to a text."""

    label: str | list[str] | float | None
    score: float | None = Field(default=None, description="That of the label, where there is one label.")
    scores: dict[str, float] | None = None
    exit_layer: int
    num_layers: int
    truncated: bool
    layers: list[Layer] | None = None
    criteria: dict[str, int] | None = Field(
        default=None, description="Where each criterion would leave, by its settings."
    )


class PredictAnswer(BaseModel):
    """The answers, in the order of the texts, and by what they are."""

    answers: list[TextAnswer]
    model: str
    criterion: str
    certificate: str | None = Field(
        default=None, description="What is promised of these answers; null where nothing is."
    )


class Prediction(BaseModel):
    """A label with its score, as text-embeddings-inference has them."""

    label: str
    score: float


class Problem(BaseModel):
    """What went wrong."""

    error: str
    error_type: str


class Setting(BaseModel):
    """A number among the criterion's settings, and between what it may be moved, in steps if it is whole."""

    value: float
    minimum: float
    maximum: float
    step: float | None


class Info(BaseModel):
    """What is served."""

    model: str
    runtime: str
    precision: str
    labels: list[str]
    problem_type: str
    num_layers: int
    exit_layers: list[int]
    max_length: int
    pairs: bool
    text_columns: list[str] | None
    gives_layers: bool
    criterion: str
    settings: dict[str, Setting]
    certificate: dict[str, Any] | None
    promise: str | None = Field(
        default=None, description="What is promised of answers by its own settings; null where nothing is."
    )
    alarm: str | None = Field(
        default=None, description="What the monitor says once it found its promise contradicted; null before."
    )
    limits: dict[str, Any]
    versions: dict[str, str]
