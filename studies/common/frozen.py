"""A trained backbone that stays as it is: it runs once over all texts, and exits learn from its states.

It is that of a model with MHA exits on all-MiniLM-L6-v2, trained jointly by the preset `sampling`. Shapes: M layers,
B batch, L tokens, d hidden.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from leco import train
from leco.data import Split, TextData, load_data
from leco.evaluation.evaluate import stored_outputs
from leco.exits.modules import build_exit
from leco.exits.standardize import Moments, Standardize
from leco.files import atomic_path
from leco.model import MultiExitModel, load_model
from leco.model.backbones import walk
from leco.model.statistics import SAMPLE
from leco.presets import build_options
from studies.common.own_results import RESULTS

RECIPE = "sampling"
ROWS = {"sst-2": 3_000, "cola": 5_000, "rotten_tomatoes": 3_000}
"""The training rows of each task that are used."""
SOURCES = {"rotten_tomatoes": "demo/rotten_tomatoes"}
"""The data of the tasks that are not GLUE's."""


@dataclass(frozen=True)
class States:
    """What a backbone makes of a split: of each text the states [L, M + 1, d] of all layers, the embeddings first."""

    split: Split
    texts: list[torch.Tensor]

    @classmethod
    @torch.no_grad()
    def of(cls, model, split):
        """Run a model's backbone over a split."""
        found = []
        for encoding in model.encode(split.texts):
            inputs = {name: torch.tensor([values]) for name, values in encoding.items()}
            found.append(torch.stack([state[0] for state in walk(model.backbone, inputs)], dim=1))
        return cls(split, found)

    def batch(self, rows):
        """The hidden states [M + 1, B, L, d] of some texts, and their mask [B, L]."""
        some = [self.texts[row] for row in rows]
        lengths = torch.tensor([len(text) for text in some])
        hidden = pad_sequence(some, batch_first=True)
        return hidden.permute(2, 0, 1, 3), torch.arange(hidden.size(1)) < lengths[:, None]


@dataclass(frozen=True)
class Frozen:
    """A trained model, and what its backbone makes of the texts."""

    model: MultiExitModel
    task: str
    data: TextData
    train: States
    seed: int

    @cached_property
    def dev(self):
        """The states of dev."""
        return States.of(self.model, self.data.dev)

    @cached_property
    def test(self):
        """The states of test."""
        return States.of(self.model, self.data.test)

    @property
    def length(self):
        """The mean number of tokens of dev's texts."""
        return float(np.mean([len(text) for text in self.dev.texts]))

    @cached_property
    def statistics(self):
        """Mean and standard deviation [M + 1, d] of each layer's states, the embeddings' first, over a sample."""
        moments = Moments()
        for row in np.random.default_rng(self.seed).permutation(len(self.train.texts))[:SAMPLE]:
            moments.add(self.train.texts[row].transpose(0, 1))
        return moments.statistics()

    def exit(self, layer, architecture, standardized=True):
        """A fresh exit for a layer's states; layer 0 are the embeddings."""
        size, dropout = self.train.texts[0].size(-1), build_options(RECIPE, {}).run.exit_dropout
        made = build_exit(architecture, size, self.data.num_outputs, dropout)
        if standardized:
            made.standardize = Standardize(self.statistics.mean[layer], self.statistics.std[layer])
        return made

    def own(self, name):
        """What the model's own exits say of the split `dev` or `test`."""
        split = getattr(self.data, name)
        return stored_outputs(self.model, split, self.model.encode(split.texts), self.data.metric, name)


def frozen(task, seed, arguments):
    """The model of a task and a seed, trained unless it has been, and its backbone's states of the training texts."""
    folder = RESULTS.root / "working" / f"frozen_{task}_{seed}"
    name, source = SOURCES.get(task, f"glue/{task}"), {"train_rows": ROWS[task], "glue_dir": arguments.glue_dir}
    data, states = load_data(name, **source), folder.with_suffix(".pt")
    if not states.is_file():
        encoder, about = str(arguments.models / "all-MiniLM-L6-v2"), {"exits": "mha", "seed": seed, "bf16": True}
        model = train(encoder, name, folder, preset=RECIPE, criterion="entropy", **about, **source)
        with atomic_path(states) as temporary:
            torch.save(States.of(model.eval(), data.train).texts, temporary)
    torch.manual_seed(seed)
    return Frozen(load_model(folder), task, data, States(data.train, torch.load(states)), seed)
