"""What an exit's architecture is worth: random architectures of the whole space, side by side on each layer.

python benchmarks/random_exits.py cola --glue-dir GLUE    # writes results/random_exits.json

One backbone is trained jointly with the MHA exit and many random ones on each layer, by the quick preset's settings.
Each exit learns from its own loss, as it would alone; the backbone from the mean of a layer's. The scores are dev's.
For each operation: how much higher exits score on the layers that have it (the coefficient of a ridge regression over
the random exits of a layer, a mean over the layers).
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import Ridge
from torch import nn
from torch.nn import functional as F

from common import backbone, report
from leco.data import LengthGroupedBatches, TextDataset, collate, encode, load_data, minilm_folder, score
from leco.exits.architecture import EDGES, MHA, Architecture
from leco.exits.modules import build_exit
from leco.exits.space import SPACES
from leco.model import load_tokenizer
from leco.model.backbones import backbone_for, walk
from leco.presets import build_options
from leco.training.optimizer import decay_groups

SPACE, LABELS = SPACES["O"], 2


def draw():
    """A random architecture of the whole space."""
    edges = {edge: random.choice(SPACE.operations(edge)) for edge in EDGES}
    return draw() if edges["encoder_1"] == edges["encoder_2"] == "null" else Architecture(**edges, width=SPACE.width)


class SideBySide(nn.Module):
    """A backbone with many exits on each layer."""

    def __init__(self, encoder, by_layer, dropout):
        super().__init__()
        self.backbone = encoder
        size = encoder.config.hidden_size
        self.exits = nn.ModuleList(
            nn.ModuleList(build_exit(one, size, LABELS, dropout) for one in layer) for layer in by_layer
        )

    def forward(self, inputs):
        """Logits [B, M, n, K] of all n exits on each layer."""
        mask = inputs["attention_mask"].bool()
        given = {name: value for name, value in inputs.items() if name != "labels"}
        states = list(walk(self.backbone, given))[1:]
        by_layer = [
            torch.stack([leave(_shared(hidden, len(exits)), mask) for leave in exits], dim=1)
            for hidden, exits in zip(states, self.exits, strict=True)
        ]
        return torch.stack(by_layer, dim=1)


def _shared(hidden, by):
    """`hidden`, of whose gradient the backbone gets one part in `by`."""
    return hidden.detach() + (hidden - hidden.detach()) / by


def train(model, data, tokenizer, options):
    """Train with the joint loss, as the quick preset does."""
    rates = {"backbone.": options.training.lr, "exits.": options.training.exit_lr}
    groups = decay_groups(dict(model.named_parameters()), rates, options.training.weight_decay)
    optimizer = torch.optim.AdamW(groups, fused=True)
    batches = LengthGroupedBatches(data.lengths, options.run.batch_size, seed=options.run.seed)
    steps = options.training.epochs * len(batches)
    warmup = options.training.warmup * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (steps - step) / (steps - warmup))
    )
    model.train()
    for epoch in range(options.training.epochs):
        batches.set_epoch(epoch)
        for rows in batches:
            inputs = collate(tokenizer, [data[row] for row in rows])
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(inputs).float()
            labels = inputs["labels"][:, None, None].expand(logits.shape[:-1])
            F.cross_entropy(logits.flatten(0, 2), labels.flatten(), reduction="none").view_as(labels).mean(
                0
            ).sum().backward()
            nn.utils.clip_grad_norm_(model.backbone.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        print(f"epoch {epoch + 1} of {options.training.epochs}", flush=True)


@torch.inference_mode()
def scores(model, data, tokenizer, metric):
    """The score of each exit on each layer [M, n]."""
    model.eval()
    logits = []
    for start in range(0, len(data), 64):
        rows = range(start, min(start + 64, len(data)))
        logits.append(model(collate(tokenizer, [data[row] for row in rows])))
    predictions = torch.cat(logits).argmax(-1).numpy()  # [N, M, n]
    return np.array([[score(metric, data.labels, one) for one in layer.T] for layer in predictions.transpose(1, 0, 2)])


def effects(by_layer, found):
    """For each operation of each edge its effect on the score, by layer [M]; the two encoder edges count as one."""
    kinds = {edge: edge.removesuffix("_1").removesuffix("_2") if "encoder" in edge else edge for edge in EDGES}
    names = sorted({(kinds[edge], name) for edge in EDGES for name in SPACE.operations(edge)})
    coefficients = []
    for layer, values in zip(by_layer, found, strict=True):
        x = np.array([[sum((kinds[e], getattr(one, e)) == name for e in EDGES) for name in names] for one in layer])
        coefficients.append(Ridge(alpha=3.0).fit(x, values).coef_)
    return {" ".join(name): column.tolist() for name, column in zip(names, np.transpose(coefficients), strict=True)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--exits", type=int, default=32, help="random exits on each layer")
    parser.add_argument("--train-rows", type=int)
    arguments = parser.parse_args()
    options = build_options("quick", {})
    random.seed(0)
    torch.manual_seed(0)
    data = load_data(f"glue/{arguments.task}", glue_dir=arguments.glue_dir, train_rows=arguments.train_rows)
    tokenizer, encoder = load_tokenizer(str(minilm_folder())), backbone("6 layers, hidden 384")
    backbone_for(encoder.config).strip(encoder)
    sets = [TextDataset(encode(tokenizer, split.texts, 128), split.labels) for split in (data.train, data.dev)]
    by_layer = [[MHA, *(draw() for _ in range(arguments.exits))] for _ in range(encoder.config.num_hidden_layers)]
    model = SideBySide(encoder, by_layer, options.run.exit_dropout)
    train(model, sets[0], tokenizer, options)
    found = scores(model, sets[1], tokenizer, data.metric)
    row = {"task": data.name, "metric": data.metric, "exits": arguments.exits, "mha": found[:, 0].tolist()}
    random_ones = found[:, 1:]
    spread = {"mean": random_ones.mean(1).tolist(), "std": random_ones.std(1).tolist()}
    report("random_exits", [{**row, **spread, "effects": effects([layer[1:] for layer in by_layer], random_ones)}])


if __name__ == "__main__":
    main()
