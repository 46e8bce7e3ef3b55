r"""What the benchmarks on SST-2 share: a model and the data.

leco search --model demo/all-MiniLM-L6-v2 --data glue/sst-2 --train-rows 10000 --preset sampling --bf16 \
    --encoders conv_1,conv_3,conv_5,mha_2,skip-connect,null --output sst2-search
leco train --model demo/all-MiniLM-L6-v2 --data glue/sst-2 --exits sst2-search/architectures.json --bf16 --output sst2

The search gives benchmarks/results/sst2_exits.json.
"""

import argparse
from pathlib import Path

from leco.data import TextData, load_data
from leco.evaluation import align_labels
from leco.model import MultiExitModel, load_model


def on_sst2(*, texts: int, rounds: int) -> tuple[argparse.Namespace, MultiExitModel, TextData]:
    """The arguments of a script about a model that was trained on SST-2, that model, and the data."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--texts", type=int, default=texts)
    parser.add_argument("--rounds", type=int, default=rounds)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    return arguments, model, align_labels(load_data("glue/sst-2", glue_dir=arguments.glue_dir), model)
