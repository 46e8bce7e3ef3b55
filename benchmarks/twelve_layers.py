"""Twelve layers: LECO beside the plain model, its first layers, a small encoder and the floor, on SST-2 and MRPC.

python -m benchmarks.twelve_layers WORK --models MODELS --glue-dir GLUE              # trains what is missing, into WORK
python -m benchmarks.twelve_layers WORK --models MODELS --glue-dir GLUE --measure    # writes results/twelve_layers.json

MODELS holds the folders all-mpnet-base-v2 and all-MiniLM-L6-v2. What is trained, or measured of one data set in one
precision, is not made again: a killed command goes on where it was. Measure on a quiet machine. A trial of all of it:

python -m benchmarks.twelve_layers TRIAL --models MODELS --glue-dir GLUE --measure --large all-MiniLM-L6-v2 \
    --layers 2,4 --train-rows 200 --texts 40 --rounds 1
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.common.early import early_ways, timed
from benchmarks.common.few import few_settings
from benchmarks.common.floor import Floor
from benchmarks.common.recording import report
from leco.bench import Contenders
from leco.bench.contenders import ALONE
from leco.bench.measure import CONTROL
from leco.data import load_data
from leco.evaluation import align_labels
from leco.evaluation.scores import fastest_within, settings
from leco.export import ModelWriter
from leco.export.choice import stored
from leco.files import read_json, write_json
from leco.pipeline import search, train
from leco.settings import AUTO, LEARNED

ROWS = {"sst-2": 5_000, "mrpc": 2_000}
"""The data sets, and how many of their training rows are used; None is all."""
PRECISIONS = "float32", "int8"
TRAINING = {"preset": "quick", "bf16": True}
MAX_DROP = 0.005
"""The score that a chosen setting may cost on dev, which is what the goal allows."""
CURVE = 6
"""Settings on the curve, beside the chosen one and full depth."""
FLOOR = "words and bigrams"


def options(task, arguments):
    """With what every model of a data set is trained; and its name."""
    rows = arguments.train_rows or ROWS[task]
    return f"glue/{task}", {**TRAINING, "seed": arguments.seed, "train_rows": rows, "glue_dir": arguments.glue_dir}


def early_model(task, arguments):
    """The model with exits, searched as all of this project's are, by the preset sampling; kept are those that pay."""
    encoder, folder, exits = arguments.models / arguments.large, arguments.work / task, arguments.exits
    data, given = options(task, arguments)
    if exits == LEARNED:
        search(encoder, data, folder / "search", **{**given, "preset": "sampling"})
        exits = folder / "search" / "architectures.json"
    choice = {"criterion": arguments.criterion, "max_drop": MAX_DROP, "prune_exits": True}
    return train(encoder, data, folder / "leco", exits=str(exits), **choice, **given)


def plain_model(task, name, arguments):
    """An encoder that is fine-tuned alone, and what can be compared with it."""
    folder = arguments.work / task / ("plain" if name == arguments.large else "small")
    data, given = options(task, arguments)
    model = train(arguments.models / name, data, folder, **ALONE, **given)
    return Contenders(model, folder, folder / "bench", arguments.glue_dir)


def train_all(task, arguments):
    """Train what is not there yet of a data set."""
    early_model(task, arguments)
    plain_model(task, arguments.small, arguments)
    plain = plain_model(task, arguments.large, arguments)
    for layers in arguments.layers:
        plain.first_layers(layers)


def static_ways(task, arguments, *, int8):
    """By what they are, the ways in which every text takes all layers; the plain model is the first."""
    plain = plain_model(task, arguments.large, arguments)
    small = plain_model(task, arguments.small, arguments)
    return {
        "plain": [plain.plain(int8=int8)],
        "cut": [plain.against(f"first:{layers}", int8=int8) for layers in arguments.layers],
        "small": [small.plain(int8=int8, name=arguments.small)],
    }


def measure(task, precision, arguments):
    """The settings that dev chooses, and the score and the time of every way."""
    int8, folder = precision == "int8", arguments.work / task / "bench"
    model = early_model(task, arguments)
    data, given = options(task, arguments)
    data = load_data(data, train_rows=given["train_rows"], glue_dir=arguments.glue_dir)
    data, kind = align_labels(data, model), type(model.config.criterion)
    dev = stored(ModelWriter(model, int8=int8).all_exits(), model, data.dev, data.metric, "dev")
    tried = settings(kind, dev, model.task)
    full_depth, chosen = kind.sweep(model.task)[0], fastest_within(tried, dev, MAX_DROP).criterion
    criteria = dict.fromkeys([full_depth, chosen, *few_settings(tried, model.task, CURVE)])
    ways = static_ways(task, arguments, int8=int8)
    ways |= {"early": early_ways(model, folder, criteria, int8=int8), "floor": [Floor(FLOOR, data)]}
    kinds = {way.name: name for name, some in ways.items() for way in some} | {CONTROL: "control"}
    rows = timed([way for some in ways.values() for way in some], data, arguments)
    return {
        "task": task,
        "precision": precision,
        "metric": data.metric,
        "train_rows": len(data.train),
        "dev_rows": len(data.dev),
        "test_rows": len(data.test),
        "large": arguments.large,
        "layers": model.num_layers,
        "exits": arguments.exits,
        "exit_layers": list(model.task.exit_layers),
        "full_depth": str(full_depth),
        "chosen": str(chosen),
        "ways": [{"kind": kinds[row["way"]], **row} for row in rows],
    }


def measure_all(arguments):
    """All data sets in both precisions, each of which is kept until all are there."""
    kept = {}
    for task, precision in product(arguments.tasks, PRECISIONS):
        path = arguments.work / task / f"{precision}-{arguments.texts}-texts-{arguments.rounds}-rounds.json"
        if not path.exists():
            write_json(path, measure(task, precision, arguments))
        kept[path] = read_json(path)
    report("benchmarks/twelve_layers", list(kept.values()))
    for found in kept.values():
        for row in found["ways"]:
            numbers = np.round([row["score"], row["layers"], row["ratio"]], 3)
            print(found["task"], found["precision"], row["batch_size"], numbers, row["way"])
    for path in kept:  # so that the same command measures anew
        path.unlink()


def parsed():
    """The arguments of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--models", type=Path, default=Path())
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--tasks", type=lambda text: text.split(","), default=list(ROWS))
    parser.add_argument("--train-rows", type=int, help="of every data set, in place of the script's own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--exits", default=LEARNED)
    parser.add_argument("--criterion", default=AUTO)
    parser.add_argument("--large", default="all-mpnet-base-v2")
    parser.add_argument("--small", default="all-MiniLM-L6-v2")
    parser.add_argument("--layers", type=lambda text: [int(one) for one in text.split(",")], default=[2, 4, 6, 8])
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def main():
    arguments = parsed()
    for task in arguments.tasks:
        train_all(task, arguments)
    if arguments.measure:
        measure_all(arguments)


if __name__ == "__main__":
    main()
