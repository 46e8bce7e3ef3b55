"""F-PABEE, patience over similar distributions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from leco.criteria.base import Array, Task
from leco.criteria.counting import Comparing, patience_option
from leco.criteria.grids import largest_entropy, patiences, rising
from leco.criteria.information import cross_entropy, entropy, jensen_shannon
from leco.options import option
from leco.problems import MULTI_LABEL, SINGLE_LABEL, Problem

SIMILARITIES: dict[str, Callable[[Array, Array], Array]] = {
    "kd": cross_entropy,
    "rekd": lambda p, q: cross_entropy(q, p),
    "symkd": lambda p, q: cross_entropy(p, q) + cross_entropy(q, p),
    "jskd": lambda p, q: entropy((p + q) / 2),
    "jensen-shannon": jensen_shannon,
}


@dataclass(frozen=True)
class FPabee(Comparing):
    """Leave when `patience` adjacent pairs of exits have similar distributions.

    `s(p_{m-1}, p_m) < tau` counts and else the counter resets; the row leaves when it reaches t, at exit t + 1 or
    later. `tau` is the threshold, `patience` is t and `similarity` is s, smaller where p and q are more alike. With
    `H(p, q) = -sum_k p(k) log q(k)` and `a = (p + q) / 2` it is one of

    - `kd`: `H(p, q)`; `rekd`: `H(q, p)`; `symkd`: their sum;
    - `jskd`: `(H(p, a) + H(q, a)) / 2`, which is H(a), the entropy of the mean: so equal exits that are not certain
      are not similar, and the same holds for the three above;
    - `jensen-shannon`: `H(a) - (H(p) + H(q)) / 2`, the divergence proper, 0 for any two equal exits; not in the paper.

    `p_m` [B, K] are the scores of exit m. Where a text may have many labels, each label is a distribution over yes
    and no, and s is summed over the labels.

    Source: F-PABEE (Gao et al. 2023, 2305.11916).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.3, 0.7]], [[0.3, 0.7]], [[0.1, 0.9]], [[0.0, 1.0]], [[0.0, 1.0]]])  # [M, N, K]
    >>> task = Task(num_outputs=2, num_layers=5)
    >>> simulate(FPabee(tau=0.3), exits, task), simulate(FPabee(tau=0.3, similarity="jensen-shannon"), exits, task)
    (array([4]), array([2]))
    """

    name: ClassVar[str] = "f-pabee"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, MULTI_LABEL})

    tau: float = option(0.1, "Value of the similarity, in nats, below which exits agree.", minimum=0)
    patience: int = patience_option()
    similarity: str = option(
        "jskd", "How two exits are compared: one of " + ", ".join(SIMILARITIES) + ".", choices=tuple(SIMILARITIES)
    )

    def similar(self, scores: Array, previous: Array, problem: Problem) -> Array:
        """Compare the similarity with the threshold."""
        before, now = problem.distributions(previous), problem.distributions(scores)
        return SIMILARITIES[self.similarity](before, now) < self.tau

    @classmethod
    def sweep(cls, task: Task) -> Sequence["FPabee"]:
        """All patience values, each with rising thresholds, for the default similarity."""
        return [cls(tau, patience) for patience in patiences(task) for tau in rising(largest_entropy(task))]
