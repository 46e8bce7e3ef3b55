"""A joint training epoch with learned exits against fine-tuning the plain Transformers classifier.

    python -m benchmarks.training_cost          # writes benchmarks/results/training_cost.json

The exits are the paper's for SST-2 (Table 6), at the layers of the same relative depth. `plain again` is a second
plain classifier: its ratio shows how far two equal things differ in one run.
"""

import argparse
import warnings

from benchmarks.common.backbones import BACKBONES, reviews
from benchmarks.common.epochs import multi_exit_model, num_layers, plain_model, training_epoch
from benchmarks.common.recording import report
from benchmarks.common.timing import interleaved, ratio
from leco.exits.architecture import LINEAR
from leco.exits.published import published_architectures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--backbones", nargs="+", choices=list(BACKBONES), default=list(BACKBONES))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    data, tokenizer = reviews(arguments.rows)
    rows = []
    for size in arguments.backbones:
        learned = published_architectures("paper:sst-2", num_layers(size))
        for dtype in ("fp32", "bf16"):
            models = {
                "plain": plain_model(size),
                "plain again": plain_model(size),
                "linear exits": multi_exit_model(size, [LINEAR] * len(learned)),
                "learned exits": multi_exit_model(size, learned),
            }
            ways = {
                name: training_epoch(model, data, tokenizer, bf16=dtype == "bf16") for name, model in models.items()
            }
            seconds = interleaved(ways, arguments.rounds)
            for name in ways:
                rows.append(
                    {
                        "backbone": size,
                        "dtype": dtype,
                        "way": name,
                        **{f"ratio_{key}": value for key, value in ratio(seconds, name, "plain").items()},
                    }
                )
            report("benchmarks/training_cost", rows)


if __name__ == "__main__":
    main()
