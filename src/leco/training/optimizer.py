"""Parameter groups: which learning rate and decay each parameter has."""

from collections.abc import Mapping
from typing import Any

from torch import nn


def decay_groups(
    parameters: Mapping[str, nn.Parameter], rates: Mapping[str, float], weight_decay: float
) -> list[dict[str, Any]]:
    """Groups for AdamW over the parameters that need a gradient, disjoint, complete and none empty.

    `rates` maps a prefix of names to its learning rate. Biases, norms and single vectors have no decay.
    Raises ValueError for a parameter that no prefix, or more than one, speaks of.
    """
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        if not parameter.requires_grad:
            continue
        prefixes = [prefix for prefix in rates if name.startswith(prefix)]
        if len(prefixes) != 1:
            raise ValueError(f"the parameter {name} needs one learning rate, and has {len(prefixes)}")
        decays = parameter.dim() > 1 and not name.endswith("bias") and "norm" not in name.lower()
        groups.setdefault((prefixes[0], decays), []).append(parameter)
    return [
        {"params": members, "lr": rates[prefix], "weight_decay": weight_decay if decays else 0.0}
        for (prefix, decays), members in groups.items()
    ]
