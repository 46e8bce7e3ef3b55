"""How far the inputs of an encoder's linear layers reach, which int8 takes its scales from.

No data are needed: over random tokens the channels that are large are those that are large over texts.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from leco.data import collate
from leco.model import MultiExitModel
from leco.model.backbones import walk
from leco.tokens import Text

Ranges: TypeAlias = Mapping[nn.Module, NDArray[Any]]
"""For each linear layer the largest magnitude of each channel [n] of its inputs."""
TEXTS, LONGEST, BATCH_SIZE = 128, 64, 32
"""How many texts are made up, every second of them a pair, the most tokens of a part, and how many run together."""


@torch.inference_mode()
def input_ranges(model: MultiExitModel) -> Ranges:
    """The ranges of the inputs of the backbone's linear layers, over texts of random tokens, the same for each call."""
    backbone, ranges = model.eval().backbone, dict[nn.Module, Tensor]()
    encodings = sorted(model.encode(_random_texts(model.tokenizer)), key=lambda encoding: len(encoding["input_ids"]))
    for start in range(0, len(encodings), BATCH_SIZE):
        batch = collate(model.tokenizer, encodings[start : start + BATCH_SIZE])
        inputs = {name: value.to(backbone.device) for name, value in batch.items()}
        mask = inputs["attention_mask"].bool()

        def see(module: nn.Module, given: tuple[Tensor], mask: Tensor = mask) -> None:
            reach = given[0][mask].float().abs().amax(0)
            ranges[module] = torch.maximum(ranges.get(module, reach), reach)

        layers = [module for module in backbone.modules() if isinstance(module, nn.Linear)]
        hooks = [layer.register_forward_pre_hook(see) for layer in layers]
        deque(walk(backbone, inputs), maxlen=0)
        for hook in hooks:
            hook.remove()
    return {module: reach.cpu().numpy() for module, reach in ranges.items()}


def _random_texts(tokenizer: PreTrainedTokenizerBase) -> list[Text]:
    random = np.random.default_rng(0)

    def part() -> str:
        ids = random.integers(len(tokenizer), size=random.integers(1, LONGEST + 1))
        return str(tokenizer.decode(ids.tolist(), skip_special_tokens=True))

    return [(part(), part()) if number % 2 else part() for number in range(TEXTS)]
