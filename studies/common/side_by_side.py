"""Many exits side by side on each layer of one backbone: what benchmarks of exits' architectures share.

The backbone is trained jointly with all of them by the quick preset's settings. Each exit learns from its own loss, as
it would alone; the backbone from the mean of a layer's.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.common.backbones import backbone
from benchmarks.common.recording import report
from leco.data import LengthGroupedBatches, TextDataset, collate, encode, load_data, minilm_folder, score
from leco.exits.modules import build_exit
from leco.model import load_tokenizer
from leco.model.backbones import backbone_for, walk
from leco.presets import build_options
from leco.training.optimizer import decay_groups
from studies.common.paper_tables import TRAIN_ROWS

LABELS = 2
LAYERS = 6


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
            torch.stack([module(_shared(hidden, len(exits)), mask) for module in exits], dim=1)
            for hidden, exits in zip(states, self.exits, strict=True)
        ]
        return torch.stack(by_layer, dim=1)


def _shared(hidden, by):
    """`hidden`, of whose gradient the backbone gets one part in `by`."""
    return hidden.detach() + (hidden - hidden.detach()) / by


def train(model, data, tokenizer, options, exit_rates):
    """Train with the joint loss, as the quick preset does; each exit of a layer has a learning rate of its own."""
    rates = {"backbone.": options.training.lr}
    rates |= {f"exits.{m}.{n}.": rate for m in range(len(model.exits)) for n, rate in enumerate(exit_rates)}
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


def dev_scores(data, by_layer, exit_rates=None):
    """The dev score of each exit on each layer [M, n], when all are trained side by side.

    `exit_rates` are the n learning rates of a layer's exits, or all are the preset's.
    """
    options = build_options("quick", {})
    torch.manual_seed(0)
    tokenizer, encoder = load_tokenizer(str(minilm_folder())), backbone("6 layers, hidden 384")
    backbone_for(encoder.config).strip(encoder)
    sets = [TextDataset(encode(tokenizer, split.texts, 128), split.labels) for split in (data.train, data.dev)]
    model = SideBySide(encoder, by_layer, options.run.exit_dropout)
    train(model, sets[0], tokenizer, options, exit_rates or [options.training.exit_lr] * len(by_layer[0]))
    return scores(model, sets[1], tokenizer, data.metric)


def main(name, compared, copies):
    """The command line of a comparison: report what `compared(task, data, copies)` gives as NAME_TASK."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--copies", type=int, default=copies, help="of each exit on each layer")
    arguments = parser.parse_args()
    task = arguments.task
    data = load_data(f"glue/{task}", glue_dir=arguments.glue_dir, train_rows=TRAIN_ROWS.get(task))
    report(f"studies/{name}_{task}", [compared(task, data, arguments.copies)])
