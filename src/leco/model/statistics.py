"""The statistics of a pretrained encoder's hidden states, by which its exits standardize what they read."""

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from leco.data import TextDataset, collate
from leco.exits.standardize import Moments, StateStatistics
from leco.model.backbones import walk
from leco.progress import progress_bar

SAMPLE = 512
"""Training texts from which the statistics are taken."""


@torch.no_grad()
def state_statistics(
    backbone: PreTrainedModel,
    texts: TextDataset,
    tokenizer: PreTrainedTokenizerBase,
    *,
    seed: int,
    bf16: bool = False,
    batch_size: int = 32,
) -> StateStatistics:
    """Mean and standard deviation of each channel of each layer's hidden states, over a sample of the training texts.

    The same seed gives the same sample of at most `SAMPLE` texts. With `bf16` the states are those of autocast, which
    the exits will see. The statistics are on the backbone's device.
    """
    training, device = backbone.training, backbone.device
    backbone.eval()
    rows = np.random.default_rng(seed).permutation(len(texts))[:SAMPLE]
    tokens, first_tokens = Moments(), Moments()
    with progress_bar("statistics of hidden states", len(rows)) as advance:
        for start in range(0, len(rows), batch_size):
            batch = [texts.encodings[row] for row in rows[start : start + batch_size]]
            inputs = {name: value.to(device) for name, value in collate(tokenizer, batch).items()}
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                states = torch.stack(list(walk(backbone, inputs))[1:])  # [M, B, L, d]
            tokens.add(states[:, inputs["attention_mask"].bool()])
            first_tokens.add(states[:, :, 0])
            advance(len(batch))
    backbone.train(training)
    return StateStatistics(tokens.statistics(), first_tokens.statistics())
