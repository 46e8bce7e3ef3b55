"""What an exit is made of, as data: the genotype that a search finds, a file holds and a module is built from."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from leco.errors import LecoError
from leco.exits.operations import ACTIVATIONS, ENCODERS, POOLERS
from leco.files import read_json, write_json
from leco.registry import Registry


@dataclass(frozen=True)
class ExitArchitecture:
    """The architecture of one exit, as data; `kind` names the subclass in JSON."""

    kind: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """A JSON object; `architecture_from_dict` reads it back."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class LinearArchitecture(ExitArchitecture):
    """The linear exit, `W h + b` of the [CLS] vector h [B, d]: logits [B, K].

    Source: LECO, section 3.1.
    """

    kind: ClassVar[str] = "linear"


@dataclass(frozen=True)
class PastFutureArchitecture(ExitArchitecture):
    """The exit of Global Past-Future, which all layers have or none (Liao et al. 2021; `PastFutureExits`).

    `standardized` says that it reads standardized states, whose statistics lie beside its weights.
    """

    kind: ClassVar[str] = "past-future"

    standardized: bool = False


@dataclass(frozen=True)
class Architecture(ExitArchitecture):
    """A learned exit (section 4, Figure 1): one operation for each of the five searched edges, and the width d_e.

    `H [B, L, d] -> linear d -> width -> activation_1 -> encoder_1 + encoder_2 -> pooler -> activation_2 -> linear -> K`

    Names are stored in their canonical spelling. Raises LecoError for an unknown operation, a width that is not
    positive, and two `null` encoders, which would make the exit's output a constant.

    >>> print(Architecture("relu", "conv_3", "mha_2", "avg", "tanh"))
    relu | conv_3 + mha_2 | avg | tanh
    """

    kind: ClassVar[str] = "cell"

    activation_1: str
    encoder_1: str
    encoder_2: str
    pooler: str
    activation_2: str
    width: int = 32

    def __post_init__(self) -> None:
        for edge, operations in EDGES.items():
            object.__setattr__(self, edge, operations.name(getattr(self, edge)))
        if not isinstance(self.width, int) or self.width < 1:
            raise LecoError(f"An exit's width must be a positive whole number, not {self.width!r}.")
        if self.encoder_1 == self.encoder_2 == "null":
            raise LecoError(
                "Both encoder operations are 'null', so the exit would not see its input. Choose one other."
            )

    def __str__(self) -> str:
        return f"{self.activation_1} | {self.encoder_1} + {self.encoder_2} | {self.pooler} | {self.activation_2}"


EDGES: Mapping[str, Registry[Any]] = {
    "activation_1": ACTIVATIONS,
    "encoder_1": ENCODERS,
    "encoder_2": ENCODERS,
    "pooler": POOLERS,
    "activation_2": ACTIVATIONS,
}
"""The searched edges of an exit, in the order of the data's way through it, and the operations of each."""

KINDS: Registry[type[ExitArchitecture]] = Registry(
    "exit kind", {kind.kind: kind for kind in (LinearArchitecture, PastFutureArchitecture, Architecture)}
)
"""The kinds of architectures by the names that files have."""

LINEAR = LinearArchitecture()
"""The linear exit."""
PAST_FUTURE = PastFutureArchitecture()
"""The exit of Global Past-Future, as it is before it is trained."""
MHA = Architecture("tanh", "mha_dot", "null", "cls", "tanh", width=64)
"""The MHA exit (section 6.2, d_e = 64): 65,986 parameters at hidden size 768 and two labels."""

NAMED: Registry[ExitArchitecture] = Registry(
    "exit", {"linear": LINEAR, "mha": MHA, PastFutureArchitecture.kind: PAST_FUTURE}
)
"""The exits that need no search, the same on each layer, under the names that the setting `exits` takes."""


def architecture_from_dict(value: Mapping[str, Any]) -> ExitArchitecture:
    """The architecture that `ExitArchitecture.to_dict` wrote; a LecoError says what is missing, unknown or too much.

    >>> architecture_from_dict(MHA.to_dict()) == MHA
    True
    """
    if not isinstance(value, Mapping) or "kind" not in value:
        raise LecoError(f"An exit architecture is a JSON object with a 'kind' ({', '.join(KINDS)}), not {value!r}.")
    kind = KINDS[value["kind"]]
    given = {name: setting for name, setting in value.items() if name != "kind"}
    known = [field.name for field in fields(kind)]
    if unknown := sorted(set(given) - set(known)):
        raise LecoError(
            f"An exit architecture of kind '{kind.kind}' has no field '{unknown[0]}'. Known: {', '.join(known)}."
        )
    optional = [field.name for field in fields(kind) if field.default is not MISSING]
    if missing := [name for name in known if name not in given and name not in optional]:
        raise LecoError(f"An exit architecture of kind '{kind.kind}' lacks the field '{missing[0]}'.")
    return kind(**given)


def save_architectures(path: Path, architectures: Sequence[ExitArchitecture]) -> None:
    """Write `architectures`, one for each layer and the first layer's first, to `path` as a JSON list, whole."""
    write_json(path, [architecture.to_dict() for architecture in architectures])


def load_architectures(path: Path, num_layers: int) -> list[ExitArchitecture]:
    """Read what `save_architectures` wrote to `path`, for `num_layers`; a LecoError says what is wrong, and where."""
    values = read_json(path)
    if not isinstance(values, list):
        raise LecoError(f"'{path}' must hold a JSON list with one exit architecture for each layer.")
    if len(values) != num_layers:
        raise LecoError(
            f"'{path}' holds {len(values)} exit architectures, but the backbone has {num_layers} layers. "
            "Give a file with one for each layer."
        )
    architectures = []
    for layer, value in enumerate(values, start=1):
        try:
            architectures.append(architecture_from_dict(value))
        except LecoError as error:
            raise LecoError(f"'{path}', layer {layer}: {error}") from error
    return architectures
