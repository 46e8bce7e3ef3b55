"""What early answers may cost, text by text, against those at full depth."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from leco.problems import Problem
from leco.registry import Registry

Array = NDArray[Any]


@dataclass(frozen=True)
class Loss:
    """A loss of each text, from 0 to 1.

    Attributes:
        name: as settings have it.
        labelled: whether it needs the texts' labels.
        texts: what texts with it are, in a sentence that begins "at most 2 % of texts ..".
        values: what a mean of it is where answers are values, in a sentence that begins "on average ..".

    """

    name: str
    labelled: bool
    texts: str
    values: str

    def of(self, problem: Problem, early: Array, full: Array, labels: Array | None) -> Array:
        """The losses [.., N] of early scores [.., N, K] beside those at full depth, [N, K], and the labels.

        They are bool where answers are labels, and floats from 0 to 1 where they are values.
        """
        if self.labelled and labels is not None:
            return problem.worse(early, full, labels)
        return problem.disagreement(early, full)


WORSE = "worse"
"""The name of the loss that counts early answers that are wrong where full depth is right."""
DISAGREEMENT = "disagreement"
"""The name of the loss that counts early answers that are not those of full depth; it needs no labels."""
LOSSES: Registry[Loss] = Registry(
    "loss",
    {
        loss.name: loss
        for loss in (
            Loss(
                WORSE,
                True,
                "are answered wrongly though full depth is right",
                "early answers are further off than those at full depth by",
            ),
            Loss(
                DISAGREEMENT,
                False,
                "are answered otherwise than at full depth",
                "early answers are away from those at full depth by",
            ),
        )
    },
)
"""The losses by the names that the setting `loss` takes."""
