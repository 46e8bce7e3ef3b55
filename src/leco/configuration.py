"""The configuration of a multi-exit model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from transformers import AutoConfig, PreTrainedConfig

from leco.calibration import Certificate
from leco.criteria import Criterion, Static, Task, check_deployable, criterion_from_dict
from leco.display import listed
from leco.errors import LecoError
from leco.exits.architecture import ExitArchitecture, architecture_from_dict
from leco.files import atomic_path
from leco.options import option, validate
from leco.problems import PROBLEMS, SINGLE_LABEL, LabelStatistics
from leco.provenance import Provenance
from leco.shapes import checked


class LecoConfig(PreTrainedConfig):
    """The backbone's configuration, the layers that have an exit, its architecture, and the exit criterion.

    Args:
        backbone_config: the encoder's own configuration, or the dictionary of it.
        exit_architectures: one architecture for each exit (or the dictionaries of them), the lowest layer's first.
        exit_criterion: the chosen criterion with its settings (or the dictionary of it); None is full depth.
        exit_dropout: dropout in front of each exit's last linear layer, from 0 to 1.
        max_tokens: the number of tokens to which texts are cut, special tokens included; None is the backbone's.
        problem_type: Transformers' name of the kind of problem.
        kwargs: what any configuration may have, and the attributes.

    Attributes:
        label_statistics: the statistics of the labels of the training rows (given as such, or as their dictionary);
            None scales and weighs nothing.
        exit_layers: the layers that have an exit, counted from 1, the last one among them, and 0, the embeddings, if
            they have one; None is each layer.
        trained_on: the data of the training and how they are read (`Provenance.to_dict`); None is not known.
        certificate: what is promised of early answers (`Certificate.to_dict`); None is nothing.

    >>> from leco.criteria import Entropy
    >>> from leco.exits.architecture import LINEAR
    >>> backbone = {"model_type": "bert", "num_hidden_layers": 4}
    >>> config = LecoConfig(backbone, 2 * [LINEAR], Entropy(tau=0.2), exit_layers=[2, 4], num_labels=3)
    >>> str(config.criterion), config.task.num_layers, config.task.num_exits
    ('entropy:tau=0.2,normalized=false', 4, 2)

    """

    model_type = "leco"
    sub_configs: ClassVar[dict[str, Any]] = {"backbone_config": AutoConfig}

    if TYPE_CHECKING:  # what Transformers' own class declares more loosely
        backbone_config: PreTrainedConfig
        id2label: dict[int, str]
        num_labels: int
        problem_type: str  # type: ignore[assignment]

    def __init__(
        self,
        backbone_config: PreTrainedConfig | Mapping[str, Any] | None = None,
        exit_architectures: Sequence[ExitArchitecture | Mapping[str, Any]] = (),
        exit_criterion: Criterion | Mapping[str, Any] | None = None,
        exit_dropout: float = 0.1,
        max_tokens: int | None = None,
        problem_type: str = SINGLE_LABEL,
        **kwargs: Any,
    ) -> None:
        if isinstance(backbone_config, Mapping):
            settings = dict(backbone_config)
            backbone_config = AutoConfig.for_model(settings.pop("model_type"), **settings)
        self.backbone_config = backbone_config  # type: ignore[assignment]  # None only while Transformers compares
        self.exit_architectures = [
            value.to_dict() if isinstance(value, ExitArchitecture) else dict(value) for value in exit_architectures
        ]
        self.exit_criterion = exit_criterion.to_dict() if isinstance(exit_criterion, Criterion) else exit_criterion
        self.exit_dropout = exit_dropout
        self.max_tokens = max_tokens
        statistics = kwargs.pop("label_statistics", None)
        self.label_statistics: dict[str, Any] | None = (
            asdict(statistics) if isinstance(statistics, LabelStatistics) else statistics
        )
        self.trained_on: dict[str, Any] | None = kwargs.pop("trained_on", None)
        self.certificate: dict[str, Any] | None = kwargs.pop("certificate", None)
        self.exit_layers: list[int] | None = kwargs.pop("exit_layers", None)
        super().__init__(problem_type=problem_type, **kwargs)  # type: ignore[arg-type]

    @property
    def exits(self) -> list[ExitArchitecture]:
        """The architecture of each exit."""
        return [architecture_from_dict(value) for value in self.exit_architectures]

    @property
    def task(self) -> Task:
        """What criteria need to know of the model, the layers that have an exit among it; LecoError where none can."""
        layers = self.named_layers
        count = layers[-1] if layers else len(self.exit_architectures)
        return Task(self.num_labels, count, self.problem_type, self.statistics, layers)

    @property
    def named_layers(self) -> tuple[int, ...]:
        """The layers that have an exit, where they are named; none is all. LecoError for what is no list of numbers."""
        return tuple(checked(list[int], self.exit_layers or [], "its exit_layers"))

    @property
    def criterion(self) -> Criterion:
        """The chosen exit criterion; full depth where none was chosen."""
        return criterion_from_dict(self.exit_criterion) if self.exit_criterion else Static()

    @property
    def statistics(self) -> LabelStatistics:
        """The statistics of the labels of the training rows, as they are: `check` looks at them."""
        given = dict(self.label_statistics or {})
        weights = given.pop("weights", None)
        return LabelStatistics(**given, weights=None if weights is None else tuple(weights))

    @property
    def provenance(self) -> Provenance | None:
        """The data of the training; LecoError where what is there is not as it was written."""
        return Provenance.from_dict(self.trained_on)

    @property
    def certified(self) -> Certificate | None:
        """What is promised of early answers; LecoError where what is there is not as it was written."""
        return Certificate.from_dict(self.certificate)

    def save(self, folder: Path) -> None:
        """Write it into a model's folder, whole or not at all."""
        with atomic_path(folder / "config.json") as temporary:
            self.to_json_file(temporary, use_diff=True)

    @property
    def label_names(self) -> list[str]:
        """The names of the outputs, in their order."""
        return [self.id2label[index] for index in range(len(self.id2label))]

    def check(self) -> None:
        """Raise LecoError for the first setting that no model has, such as one that was written by hand."""
        if self.problem_type not in PROBLEMS:
            raise LecoError(f"its problem_type is {self.problem_type!r}")
        names = [self.id2label.get(index) for index in range(len(self.id2label))]
        if not names or not all(isinstance(name, str) for name in names) or len({*names}) < len(names):
            raise LecoError("its id2label does not give each output from 0 a name of its own")
        if not PROBLEMS[self.problem_type].fits(len(names)):
            several = listed(self.label_names)
            raise LecoError(f"its id2label has {several}, but no {self.problem_type} has that number of outputs")
        LecoSettings(exit_dropout=self.exit_dropout, max_tokens=self.max_tokens)
        checked(LabelStatistics, dict(self.label_statistics or {}), "its label_statistics")
        task = self.task
        if not self.statistics.fits(len(names)):
            raise LecoError(f"its label_statistics are {self.label_statistics}")
        check_deployable(self.criterion.name)
        self.provenance  # noqa: B018 - it is read only where data are
        self.certified  # noqa: B018 - it is read only where somebody asks
        self.criterion.start(1, task)


@dataclass(frozen=True)
class LecoSettings:
    """The numbers in a configuration."""

    exit_dropout: float = option(0.1, "Dropout in front of each exit's last layer, 0 to 1.", minimum=0, maximum=1)
    max_tokens: int | None = option(None, "Tokens to which texts are cut, special tokens included.", minimum=1)

    def __post_init__(self) -> None:
        validate(self)


AutoConfig.register(LecoConfig.model_type, LecoConfig, exist_ok=True)
