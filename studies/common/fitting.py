"""Many exits side by side on the states of a frozen backbone, trained by the preset of the backbone, and their outputs.

Each module gives logits [E, B, K] of hidden states [M + 1, B, L, d], the embeddings first, and mask [B, L]. Shapes:
M layers, E exits, B batch, L tokens, d hidden, K classes.
"""

import torch
from torch import nn
from torch.nn import functional as F
from transformers import get_linear_schedule_with_warmup

from leco.data import LengthGroupedBatches
from leco.evaluation.scores import Stored
from leco.presets import build_options
from leco.training.optimizer import decay_groups
from studies.common.frozen import RECIPE

IN_BATCH = 32


class Placed(nn.ModuleList):
    """Exits, each on the layer of its place in `layers`."""

    def __init__(self, layers, exits):
        super().__init__(exits)
        self.layers = layers

    def forward(self, hidden, mask):
        """Logits [E, B, K]."""
        return torch.stack([one(hidden[layer], mask) for layer, one in zip(self.layers, self, strict=True)])


def fit(exits, backbone):
    """Train a module of exits; each has its own loss and no part of the others'."""
    options, states = build_options(RECIPE, {}), backbone.train
    groups = decay_groups(dict(exits.named_parameters()), {"": options.training.exit_lr}, options.training.weight_decay)
    optimizer = torch.optim.AdamW(groups, fused=True)
    batches = LengthGroupedBatches([len(text) for text in states.texts], options.run.batch_size, backbone.seed)
    steps = options.training.epochs * len(batches)
    schedule = get_linear_schedule_with_warmup(optimizer, int(options.training.warmup * steps), steps)
    exits.train()
    for epoch in range(options.training.epochs):
        batches.set_epoch(epoch)
        for rows in batches:
            logits = exits(*states.batch(rows))
            labels = torch.as_tensor(states.split.labels[rows]).expand(len(logits), -1)
            (F.cross_entropy(logits.flatten(0, 1), labels.flatten()) * len(logits)).backward()  # each exit's mean
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        print(f"epoch {epoch + 1} of {options.training.epochs}", flush=True)


@torch.inference_mode()
def outputs(exits, states, data):
    """What trained exits say of a split's texts, as the evaluation takes it."""
    exits.eval()
    starts = range(0, len(states.texts), IN_BATCH)
    batches = [range(start, min(start + IN_BATCH, len(states.texts))) for start in starts]
    logits = torch.cat([exits(*states.batch(rows)) for rows in batches], dim=1)
    return Stored(logits.softmax(-1).numpy(), states.split, data.metric, data.problem_type)
