"""CAP, confidence that counts what the classifier does not see as doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import EVIDENCE, Array, Criterion, State, Task
from leco.criteria.grids import rising
from leco.options import option


@dataclass(frozen=True)
class Cap(Criterion):
    """Leave when the label "none of these" is improbable, whose logit is the share of the features left unseen.

    `u_m < tau` with `u_m = exp(alpha z_m) / (exp(alpha z_m) + sum_k exp l_m(k))`: a softmax of the logits and one more.
    `z_m` [B] is the share of the features of exit m, in front of its last linear layer, that the weights W of it do not
    see: `sqrt(1 - |P f|^2 / |f|^2)`, P the projection on the rows of W, f the features with the bias as an offset
    `W+ b`. It observes `log sum_k exp l_m(k)` and `z_m`, [B, 2]. It can leave by the first exit.

    This is our reading of the paper's abstract and of what the authors' code computes. There the features come out of
    a pooler; here they are those of any exit, of a linear one the [CLS] state.

    Source: CAP (He et al., IJCAI 2025).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> evidence = np.array([[[0.5, 0.9]], [[2.0, 0.9]], [[2.0, 0.1]]])  # [M, N, 2]: doubts 0.6, 0.25 and 0.13
    >>> task = Task(num_outputs=2, num_layers=4)
    >>> simulate(Cap(tau=0.2), np.zeros((4, 1, 2)), task, {"evidence": np.concatenate([evidence, evidence[-1:]])})
    array([3])
    """

    name: ClassVar[str] = "cap"
    observes: ClassVar[str | None] = EVIDENCE

    tau: float = option(0.1, "Probability of no label below which a row leaves; from 0, never.", minimum=0, maximum=1)
    alpha: float = option(1.0, "Weight of the share of the features that is not seen.", minimum=0)

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the probability of no label with the threshold; `scores` are the evidence [B, 2]."""
        known, unseen = scores.T
        return np.exp(-np.logaddexp(0, known - self.alpha * unseen)) < self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Cap"]:
        """Rising thresholds up to 1, for the default `alpha`: dense also around 1 / 2, as where logits are small."""
        evenly = {n / 200 for n in range(200)}
        return [cls(tau) for tau in sorted({min(tau, 1.0) for tau in rising(points=120)} | evenly)]
