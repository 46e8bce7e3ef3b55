"""What the layers of the untrained encoder say of a text: the [CLS] state, which linear exits read, and the mean state.

python -m studies.cls_probe --glue-dir GLUE    # writes studies/results/cls_probe.json

On SST-2, with logistic regression on frozen states: accuracy on dev, and how much a state differs from text to text
(the standard deviation over the texts, mean over the channels).
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.common.backbones import backbone
from benchmarks.common.recording import report
from leco.data import encode, load_data, minilm_folder
from leco.model import load_tokenizer
from leco.model.backbones import walk

ROWS = 2000
"""Training texts."""


@torch.inference_mode()
def states(encoder, tokenizer, texts):
    """Each layer's [CLS] state and mean state, [M, N, d] both."""
    by_text = []
    for encoding in encode(tokenizer, texts, 128):
        inputs = {name: torch.tensor([values]) for name, values in encoding.items()}
        layers = torch.stack(list(walk(encoder, inputs))[1:])[:, 0]  # [M, L, d]
        by_text.append((layers[:, 0].numpy(), layers.mean(1).numpy()))
    return [np.stack(kind, axis=1) for kind in zip(*by_text, strict=True)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--glue-dir", type=Path)
    arguments = parser.parse_args()
    data = load_data("glue/sst-2", glue_dir=arguments.glue_dir, train_rows=ROWS)
    encoder, tokenizer = backbone("6 layers, hidden 384").eval(), load_tokenizer(str(minilm_folder()))
    train, dev = (states(encoder, tokenizer, split.texts) for split in (data.train, data.dev))
    rows = []
    for kind, fitted, held_out in zip(("cls", "mean"), train, dev, strict=True):
        for layer, (x, y) in enumerate(zip(fitted, held_out, strict=True), start=1):
            probe = LogisticRegression(max_iter=1000).fit(x, data.train.labels)
            accuracy, spread = probe.score(y, data.dev.labels), float(x.std(0).mean())
            rows.append({"state": kind, "layer": layer, "accuracy": accuracy, "spread": spread})
    majority = float(max(np.bincount(data.dev.labels)) / len(data.dev))
    report(
        "studies/cls_probe", [{"train": len(data.train), "dev": len(data.dev), "majority": majority, "layers": rows}]
    )


if __name__ == "__main__":
    main()
