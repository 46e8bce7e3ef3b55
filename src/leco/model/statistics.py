"""The statistics of a pretrained encoder's hidden states, by which its exits standardize what they read."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from leco.data import TextDataset, collate
from leco.exits.standardize import Moments, StateStatistics
from leco.model.backbones import walk
from leco.progress import progress_bar

SAMPLE, BATCH = 512, 32
"""Training texts from which the statistics are taken, and how many run at a time."""


@torch.no_grad()
def state_statistics(
    backbone: PreTrainedModel,
    texts: TextDataset,
    tokenizer: PreTrainedTokenizerBase,
    layers: Sequence[int],
    *,
    seed: int,
    bf16: bool = False,
) -> StateStatistics:
    """Mean and standard deviation of each channel of some layers' hidden states, over a sample of the training texts.

    Layers are counted from 1; 0 is the embeddings.

    The same seed gives the same sample of at most `SAMPLE` texts. With `bf16` the states are those of autocast, which
    the exits will see. The statistics are on the backbone's device.
    """
    training, device = backbone.training, backbone.device
    backbone.eval()
    rows = np.random.default_rng(seed).permutation(len(texts))[:SAMPLE]
    tokens, first_tokens = Moments(), Moments()
    with progress_bar("statistics of hidden states", len(rows)) as advance:
        for start in range(0, len(rows), BATCH):
            batch = [texts.encodings[row] for row in rows[start : start + BATCH]]
            inputs = {name: value.to(device) for name, value in collate(tokenizer, batch).items()}
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                by_layer = list(walk(backbone, inputs))
                states = torch.stack([by_layer[layer] for layer in layers])  # [E, B, L, d]
            tokens.add(states[:, inputs["attention_mask"].bool()])
            first_tokens.add(states[:, :, 0])
            advance(len(batch))
    backbone.train(training)
    return StateStatistics(tokens.statistics(), first_tokens.statistics())
