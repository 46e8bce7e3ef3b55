"""What holds back an exported int8 model on batches: the exits' own time, and what is left of a batch in deep layers.

python -m benchmarks.compaction SST2 [SST2-OF-MPNET] --glue-dir GLUE    # writes benchmarks/results/compaction.json

common/sst2.py says what SST2 is. The plain model, the same with exits of which none is taken, and the model by its own
criterion answer the same texts, sorted by length, in turn at each batch size.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.common.early import NEVER
from benchmarks.common.recording import report
from benchmarks.common.timing import interleaved
from leco import Static
from leco.data import load_data
from leco.export import ModelWriter
from leco.export.files import write_model
from leco.model import load_model
from leco.runtime import Session

SIZES = 16, 32, 64, 128
PLAIN, NONE, EARLY = "plain", "none leaves", "early"


def sessions(model, work):
    """By name, the files that are compared, loaded."""
    criterion = model.config.criterion
    graphs = {
        PLAIN: (ModelWriter(model, int8=True).full_depth(), Static()),
        NONE: (ModelWriter(model, int8=True).early_exit(NEVER), NEVER),
        EARLY: (ModelWriter(model, int8=True).early_exit(criterion), criterion),
    }
    found = {}
    for name, (graph, leaves_by) in graphs.items():
        file = work / f"{len(found)}.onnx"
        write_model(graph, file, model, leaves_by, int8=True)
        found[name] = Session(file, threads=2)
    return found


def measure(model, texts, rounds):
    """A row for each batch size."""
    with TemporaryDirectory() as work:
        ways = sessions(model, Path(work))
    encodings = ways[PLAIN].encode(texts)
    left = ways[EARLY].decide(encodings).exit_layers
    lengths = np.array([len(one["input_ids"]) for one in encodings])
    seconds = interleaved(
        {
            (name, size): lambda session=session, size=size: session.decide(encodings, batch_size=size)
            for name, session in ways.items()
            for size in SIZES
        },
        rounds,
    )
    remaining = [float((left >= layer).mean()) for layer in range(1, model.num_layers + 1)]
    rows = []
    for size in SIZES:
        plain, none, early = (np.array(seconds[name, size]) for name in (PLAIN, NONE, EARLY))
        rows.append(
            {
                "criterion": str(model.config.criterion),
                "batch_size": size,
                "texts": len(texts),
                "ideal": float(left.mean()) / model.num_layers,
                "by_tokens": float((left * lengths).sum() / lengths.sum()) / model.num_layers,
                "ms": 1000 * float(np.median(plain)) / len(texts),
                "none": float(np.median(none / plain)),
                "early": float(np.median(early / plain)),
                "remaining": remaining,
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    texts = load_data("glue/sst-2", glue_dir=arguments.glue_dir).test.texts[: arguments.texts]
    rows = []
    for folder in arguments.models:
        model = load_model(folder)
        exits = " and ".join(sorted({one.kind for one in model.config.exits}))
        size = f"{model.num_layers} layers, hidden {model.config.backbone_config.hidden_size}"
        rows += [{"backbone": size, "exits": exits, **row} for row in measure(model, texts, arguments.rounds)]
    report("benchmarks/compaction", rows)


if __name__ == "__main__":
    main()
