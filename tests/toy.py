"""A separable toy task for training and search, and the tiny encoder that learns it in seconds."""

from types import SimpleNamespace

import numpy as np
import torch
from transformers import AutoConfig, AutoModel

from leco.data import TextDataset, collate
from leco.exits.architecture import Architecture
from leco.exits.space import SearchSpace
from leco.model import build_model
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL
from leco.search.model import SearchModel
from leco.search.options import SearchOptions
from leco.search.relaxations import Darts
from leco.search.searcher import Searcher, SearchSetup
from leco.training.options import RunOptions
from leco.training.strategies import parse_strategy
from leco.training.trainer import TrainingData, TrainingSetup, train_phases

TOKENIZER = SimpleNamespace(is_fast=False, pad_token_id=0, pad_token_type_id=0, save_pretrained=lambda folder: None)
LAYERS, HIDDEN = 3, 32
LEARNED = Architecture("gelu", "conv_3", "null", "max", "tanh", width=16)


LABELS = {SINGLE_LABEL: ("first", "second"), MULTI_LABEL: ("first", "second"), REGRESSION: ("value",)}


def encoder(seed=0, family="bert"):
    """A random encoder of 3 layers."""
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        family,
        vocab_size=40,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        pad_token_id=0,
    )
    return AutoModel.from_config(config)


def dataset(rows=64, seed=0):
    """Sequences of 4 to 12 tokens; the label says which of two marks is in them."""
    rng = np.random.default_rng(seed)
    encodings, labels = [], []
    for _ in range(rows):
        label = int(rng.integers(2))
        ids = [1, *rng.integers(10, 40, rng.integers(3, 12)).tolist()]
        ids[rng.integers(1, len(ids))] = 5 + label
        encodings.append({"input_ids": ids, "attention_mask": [1] * len(ids)})
        labels.append(label)
    return TextDataset(encodings, np.array(labels))


def model_with(exits, problem_type=SINGLE_LABEL, family="bert", exit_layers=None):
    """The encoder with the same fresh exit on each layer, or on some."""
    backbone, exits = encoder(family=family), [exits] * len(exit_layers or range(LAYERS))
    torch.manual_seed(0)
    model = build_model(backbone, exits, LABELS[problem_type], problem_type=problem_type, exit_layers=exit_layers)
    model.tokenizer = TOKENIZER
    return model


def searcher(relaxation=None, device="cpu", **options):
    """A search on the toy task, at rates that move everything in seconds."""
    relaxation = relaxation or Darts()
    model = SearchModel(encoder(), SearchSpace(width=8), 2, 0.1, relaxation.parameters).to(device)
    rates = {"search_lr": 1e-3, "search_exit_lr": 1e-2, "alpha_lr": 1e-2}
    settings = SearchOptions(**{"search_epochs": 3, **rates, **options})
    return Searcher(
        model, dataset(), TOKENIZER, PROBLEMS[SINGLE_LABEL], SearchSetup(RunOptions(batch_size=8), settings, relaxation)
    )


def train(model, data, folder, options, *, run=None, callbacks=()):
    """Trains on the data, a training and a dev set and where it is not the accuracy a metric; gives the log."""
    train_data, dev_data, metric = (*data, "accuracy")[:3]
    setup = TrainingSetup(run or RunOptions(batch_size=8), options, parse_strategy(options.strategy))
    return train_phases(model, TrainingData(train_data, dev_data, metric), setup, folder, callbacks)


def batch(rows=8, problem_type=SINGLE_LABEL):
    """The first texts of the data set in one batch, with labels of the given kind."""
    data = dataset()
    inputs = collate(TOKENIZER, [data[row] for row in range(rows)])
    labels = inputs["labels"]
    kinds = {REGRESSION: labels.float(), MULTI_LABEL: torch.stack([labels, 1 - labels], dim=1).float()}
    return {**inputs, "labels": kinds.get(problem_type, labels)}


def loss_of(strategy, model, current, inputs=None):
    """A strategy's loss of a batch."""
    inputs = inputs or batch(problem_type=model.config.problem_type)
    return strategy.loss(model, strategy.forward(model, inputs, LAYERS), inputs["labels"], current)


def same_weights(one, other):
    """Whether all weights are equal, bit by bit."""
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


class Killed(BaseException):
    """What ends a run in the middle: nothing catches it, like a signal."""
