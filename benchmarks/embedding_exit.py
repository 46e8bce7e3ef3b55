"""An exit on the embeddings, measured: models that have one, below all layers, beside those that have none.

python -m benchmarks.embedding_exit WORK --models MODELS --glue-dir GLUE            # trains what is not in WORK
python -m benchmarks.embedding_exit WORK --models MODELS --glue-dir GLUE --measure  # writes results/embedding_exit.json

MODELS holds the folder all-MiniLM-L6-v2. Of each seed two models are trained alike, with MHA exits, and those of their
exits are dropped that do not pay on dev, by the kind of criterion that wins there without the exit on the embeddings.
"""

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common.early import early_ways, timed
from benchmarks.common.recording import report
from leco import PredictorSpec, Static
from leco.bench import Way
from leco.bench.measure import PLAIN
from leco.data import load_data
from leco.evaluation import align_labels
from leco.export import ModelWriter, choose_for
from leco.export.files import OPSET, write_model
from leco.pipeline import train

TASK, ROWS, LAYERS = "glue/sst-2", 5_000, 6
MAX_DROP = 0.01
WITHOUT, WITH = "without", "with"
EXITS = {WITHOUT: range(1, LAYERS + 1), WITH: range(LAYERS + 1)}


def models(seed, arguments):
    """The models of a seed, trained where they are not there yet."""
    found, criterion = {}, "auto"
    for name, layers in EXITS.items():
        found[name] = train(
            arguments.models / "all-MiniLM-L6-v2",
            TASK,
            arguments.work / f"{name}-{seed}",
            preset="quick",
            bf16=True,
            seed=seed,
            train_rows=ROWS,
            glue_dir=arguments.glue_dir,
            exits="mha",
            exit_layers=",".join(map(str, layers)),
            prune_exits=True,
            max_drop=MAX_DROP,
            criterion=criterion,
        )
        criterion = found[name].criterion.name
    return found


def measure(seed, int8, arguments):
    """The score and the time of a seed's models in one precision, beside one at full depth; settings chosen on dev."""
    found, ways, about = models(seed, arguments), [], {}
    data = load_data(TASK, train_rows=ROWS, glue_dir=arguments.glue_dir)
    data = align_labels(data, found[WITHOUT])
    with TemporaryDirectory() as work:
        plain = Path(work) / "plain.onnx"
        write_model(ModelWriter(found[WITHOUT], int8=int8).full_depth(), plain, found[WITHOUT], Static(), int8=int8)
        ways.append(Way(PLAIN, PredictorSpec(plain)))
        for name, model in found.items():
            folder = Path(work) / name
            folder.mkdir()
            chosen = choose_for(model, data, model.criterion, MAX_DROP, int8=int8, opset=OPSET)
            ways += [replace(way, name=name) for way in early_ways(model, folder, [chosen.criterion], int8=int8)]
            about[name] = {"setting": str(chosen.criterion), "exit_layers": list(model.task.exit_layers)}
        rows = timed(ways, data, arguments)
    precision = "int8" if int8 else "float32"
    return [{"seed": seed, "precision": precision, **about.get(row["way"], {}), **row} for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--models", type=Path, default=Path())
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--seeds", type=lambda text: list(map(int, text.split(","))), default=[0, 1])
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        models(seed, arguments)
    if arguments.measure:
        both = product(arguments.seeds, (False, True))
        report("benchmarks/embedding_exit", [row for seed, int8 in both for row in measure(seed, int8, arguments)])


if __name__ == "__main__":
    main()
