"""One epoch of each kind of training, over the same rows in batches of the same lengths."""

from collections.abc import Callable

import torch
from torch import nn
from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

from benchmarks.common.backbones import backbone
from leco.data import LengthGroupedBatches, TextDataset, collate
from leco.exits.architecture import ExitArchitecture
from leco.exits.space import SearchSpace
from leco.model import build_model
from leco.model.backbones import backbone_for
from leco.problems import PROBLEMS
from leco.search.model import SearchModel
from leco.search.options import SearchOptions
from leco.search.searcher import Searcher, SearchSetup
from leco.training.options import RunOptions

BATCH_SIZE = 32


def plain_model(size: str) -> nn.Module:
    """The classifier that Transformers offers: the backbone with its pooler and one linear layer."""
    encoder = backbone(size)
    model = BertForSequenceClassification(encoder.config)
    model.bert.load_state_dict(encoder.state_dict(), strict=False)
    return model


def multi_exit_model(size: str, architectures: list[ExitArchitecture]) -> nn.Module:
    """A backbone with fresh exits of the given architectures."""
    names = ("negative", "positive")
    return build_model(backbone(size), architectures, names, problem_type=PROBLEMS["single_label_classification"])


def training_epoch(
    model: nn.Module, data: TextDataset, tokenizer: PreTrainedTokenizerBase, *, bf16: bool
) -> Callable[[], None]:
    """A function that runs one epoch of AdamW on the model's own loss (joint, where there are many exits)."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, fused=True)
    batches = LengthGroupedBatches(data.lengths, BATCH_SIZE, seed=0)

    def epoch() -> None:
        model.train()
        for rows in batches:
            inputs = collate(tokenizer, [data[row] for row in rows])
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = model(**inputs).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return epoch


def search_epoch(size: str, data: TextDataset, tokenizer: PreTrainedTokenizerBase, *, bf16: bool) -> Callable[[], None]:
    """A function that runs one first-order search epoch: half the rows for the weights, half for the alphas."""
    model = SearchModel(backbone(size), SearchSpace(), num_outputs=2, dropout=0.1)
    run = RunOptions(batch_size=BATCH_SIZE, bf16=bf16)
    searcher = Searcher(model, data, tokenizer, "single_label_classification", SearchSetup(run, SearchOptions()))
    return lambda: searcher.run_epoch(0)


def num_layers(size: str) -> int:
    """The number of layers of a backbone of the named size."""
    config = backbone(size).config
    return backbone_for(config).num_layers(config)
