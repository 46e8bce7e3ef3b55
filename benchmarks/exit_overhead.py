"""Full-depth `predict` with every exit evaluated and none taken, against the plain Transformers classifier.

    python -m benchmarks.exit_overhead          # writes benchmarks/results/exit_overhead.json

Both get the same token ids; the times are medians over interleaved rounds. `plain again` is the control.
"""

import argparse
import warnings

import torch

from benchmarks.common.epochs import multi_exit_model, plain_model
from benchmarks.common.recording import report
from benchmarks.common.timing import interleaved, ratio
from leco.criteria import Cobee
from leco.data import collate, minilm_folder
from leco.exits.published import published_architectures
from leco.model import ModelStages, load_tokenizer
from leco.runtime.engine import decide_batch

SIZE = "6 layers, hidden 384"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=150)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    tokenizer = load_tokenizer(str(minilm_folder()))
    plain = plain_model(SIZE).eval()
    model = multi_exit_model(SIZE, published_architectures("paper:sst-2", 6)).eval()
    model.tokenizer = tokenizer
    stages, never = ModelStages(model), Cobee(tau=0.0, patience=1)
    rows = []
    for batch_size in (1, 16):
        for length in (32, 128):
            encodings = [
                {"input_ids": ids, "attention_mask": [1] * length, "token_type_ids": [0] * length}
                for ids in torch.randint(1000, 30000, (batch_size, length)).tolist()
            ]

            @torch.inference_mode()
            def run_plain(encodings=encodings):
                return plain(**collate(tokenizer, encodings)).logits.softmax(-1).numpy()

            @torch.inference_mode()
            def run_exits(encodings=encodings):
                return decide_batch(stages, encodings, never)

            ways = {"plain": run_plain, "plain again": run_plain, "all exits": run_exits}
            seconds = interleaved(ways, arguments.rounds if batch_size == 1 else arguments.rounds // 5)
            for name in ("plain again", "all exits"):
                rows.append(
                    {
                        "batch_size": batch_size,
                        "tokens": length,
                        "way": name,
                        **{f"ratio_{key}": value for key, value in ratio(seconds, name, "plain").items()},
                    }
                )
            report("benchmarks/exit_overhead", rows)


if __name__ == "__main__":
    main()
