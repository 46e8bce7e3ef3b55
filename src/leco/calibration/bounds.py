"""What a sample says of a risk: p values and confidence bounds. NumPy and SciPy alone.

Losses are of independent texts and lie in [0, 1]. Shapes: S settings, N texts; `..` are any dimensions before them.
"""

from typing import Any

import numpy as np
import scipy  # its modules load when they are asked for
from numpy.typing import NDArray

Array = NDArray[Any]


def binomial_p(errors: Any, rows: int, bound: float) -> Any:
    """The p value of "the risk is above `bound`", for so many errors: `P(Bin(rows, bound) <= errors)`.

    It is exact for losses of 0 and 1. Source: Learn then Test (2110.01052), section 2.

    >>> round(float(binomial_p(0, 114, 0.02)), 4)  # the fewest texts that certify 2 % at 90 % confidence
    0.0999
    """
    return scipy.special.bdtr(errors, rows, bound)


def binomial_contradiction_p(errors: Any, rows: int, bound: float) -> Any:
    """The p value of "the risk is at most `bound`", for so many errors: `P(Bin(rows, bound) >= errors)`."""
    return np.where(
        np.asarray(errors) > 0, scipy.special.bdtrc(np.maximum(np.asarray(errors) - 1, 0), rows, bound), 1.0
    )


def hoeffding_bentkus_p(mean: Any, rows: int, bound: float) -> Any:
    """The p value of "the risk is above `bound`" for the mean of losses in [0, 1].

    `min(exp(-n h(min(R, a), a)), e P(Bin(n, a) <= ceil(n R)))`, where `h(r, a) = r log(r / a) + (1 - r) log((1 - r) /
    (1 - a))`, `R` is the mean, `n` the rows and `a` the bound. Source: Bates et al., 2101.02703; 2110.01052, section 2.
    """
    low = np.minimum(mean, bound)
    entropy = scipy.special.xlogy(low, low / bound) + scipy.special.xlogy(1 - low, (1 - low) / (1 - bound))
    errors = np.ceil(rows * np.asarray(mean) - 1e-9)
    return np.minimum(np.minimum(np.exp(-rows * entropy), np.e * scipy.special.bdtr(errors, rows, bound)), 1.0)


def capital(losses: Array, bound: Any, delta: float) -> Array:
    """The largest capital [..] of a bet against "the risk is above `bound`" over losses [.., N] in their order.

    `K_i = prod_{j <= i} (1 - v_j (L_j - a))` with `v_j = min(1, sqrt(2 log(1/delta) / (n s_{j-1})))`, `a` the bound and
    `s` the running variance. If the risk is above `a`, it reaches `1 / delta` with a probability of at most `delta`.
    Source: Waudby-Smith and Ramdas, 2010.09686; the bets of 2101.02703, section 3.1.3.
    """
    given = losses.astype(np.float64)
    rows = given.shape[-1]
    seen = np.arange(2, rows + 2)
    means = (0.5 + given.cumsum(-1)) / seen
    variances = (0.25 + ((given - means) ** 2).cumsum(-1)) / seen
    before = np.concatenate([np.full((*given.shape[:-1], 1), 0.25), variances[..., :-1]], axis=-1)
    bets = np.minimum(1.0, np.sqrt(2 * np.log(1 / delta) / (rows * before)))
    logs = np.log1p(-bets * (given - np.asarray(bound)[..., None])).cumsum(-1)
    return np.asarray(np.exp(np.minimum(logs.max(-1), 700.0)))
