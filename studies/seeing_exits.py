"""Exits that see what the exits below pooled, beside those that see their own layer alone.

python -m studies.seeing_exits --models MODELS --glue-dir GLUE    # writes studies/results/seeing_exits.json
python -m studies.seeing_exits --render                           # its section of docs/results.md

MODELS holds the folder all-MiniLM-L6-v2. The exits of each way are on all layers of a trained backbone and learn as
common/fitting.py says, copies of them side by side; those of one way learn together.
"""

from itertools import product

import numpy as np
import torch
from torch import nn

from leco.exits.architecture import MHA, Architecture
from leco.reproduction.tables import markdown, mean_and_spread
from studies.common.by_task_and_seed import grouped, main
from studies.common.fitting import fit, outputs

FORMS = {"MHA": MHA, "two attentions, mean": Architecture("tanh", "mha_4", "mha_4", "avg", "tanh")}
COPIES = 2
ALONE = "its own alone"


class Alone(nn.Module):
    """Exits on all layers; each sees what it pooled itself. Shapes: M layers, B batch, e the exits' width."""

    def __init__(self, exits):
        super().__init__()
        self.exits = nn.ModuleList(exits)

    def seen(self, number, pooled):
        """What the classifier of an exit reads [B, .], from 0, of what the exits up to it pooled, each [B, e]."""
        return pooled[number]

    def forward(self, hidden, mask):
        """Logits [M, B, K] of hidden states [M + 1, B, L, d]."""
        pooled = [one.features(state, mask) for one, state in zip(self.exits, hidden[1:], strict=True)]
        seen = [self.seen(number, pooled[: number + 1]) for number in range(len(pooled))]
        return torch.stack([one.classifier(one.dropout(x)) for one, x in zip(self.exits, seen, strict=True)])


class Beside(Alone):
    """The classifier reads all that was pooled so far, one beside the other."""

    def __init__(self, exits):
        super().__init__(exits)
        for number, one in enumerate(self.exits, start=1):
            one.classifier = nn.Linear(number * one.classifier.in_features, one.classifier.out_features)

    def seen(self, number, pooled):
        """All of them."""
        return torch.cat(pooled, dim=-1)


class Detached(Beside):
    """The same, but what is read of the exits below does not learn from it."""

    def seen(self, number, pooled):
        """All of them, the last with its gradient."""
        return super().seen(number, [*(one.detach() for one in pooled[:-1]), pooled[-1]])


class Gated(Alone):
    """The classifier reads a sum; each channel of each exit below has a gate, closed at first."""

    def __init__(self, exits):
        super().__init__(exits)
        width = self.exits[0].classifier.in_features
        self.gates = nn.ParameterList(nn.Parameter(torch.zeros(number, width)) for number in range(len(self.exits)))

    def seen(self, number, pooled):
        """`x_i + sum_(j<i) g_ij x_j`."""
        below = (gate * one for gate, one in zip(self.gates[number], pooled[:-1], strict=True))
        return sum(below, pooled[-1])


WAYS = {ALONE: Alone, "all so far": Beside, "all so far, detached": Detached, "gated sum": Gated}


class Together(nn.ModuleList):
    """The exits of several ways, one way's M after the other's."""

    def forward(self, hidden, mask):
        """Logits [ways x M, B, K]."""
        return torch.cat([one(hidden, mask) for one in self])


def tried(backbone):
    """The scores by layer of each way's exits, of each form and copy."""
    layers = backbone.model.num_layers
    arms = list(product(FORMS, WAYS, range(COPIES)))
    exits = Together(
        WAYS[way]([backbone.exit(layer, FORMS[form]) for layer in range(1, layers + 1)]) for form, way, _ in arms
    )
    fit(exits, backbone)
    said = [outputs(exits, split, backbone.data) for split in (backbone.dev, backbone.test)]
    dev, test = (np.reshape(one.by_exit(), (len(arms), layers)).tolist() for one in said)
    for (form, way, copy), *scores in zip(arms, dev, test, strict=True):
        yield {"form": form, "way": way, "copy": copy, "dev": scores[0], "test": scores[1]}


def lines(rows):
    """Each way's AVG, and how much higher it is than that of exits that see their own alone."""
    for (task, form), some in grouped(rows, "task", "form").items():
        by_way = grouped(some, "way")
        for way, found in by_way.items():
            line = [task, form, way]
            for split in ("dev", "test"):
                avg, alone = (
                    np.array([100 * np.mean(one[split]) for one in those]) for those in (found, by_way[ALONE])
                )
                line += [mean_and_spread(avg), mean_and_spread(avg - alone, sign="+")]
            yield line


def tables(rows):
    """What the page shows."""
    heads = ["task", "exits", "what the classifier sees", "AVG on dev", "more than alone", "on test", "more than alone"]
    return markdown(heads, lines(rows))


if __name__ == "__main__":
    main("seeing_exits", tried, tables)
