"""A GPU against the processor: search, training and evaluation of the same model, as ratios of seconds.

python -m benchmarks.devices --glue-dir GLUE [--model DIR] [--rows 2000] --json benchmarks/results/devices.json
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from leco.data import load_data
from leco.environment import machine, versions
from leco.evaluation.evaluate import stored_outputs
from leco.evaluation.tokens import tokens
from leco.files import read_json, write_json
from leco.model import load_model
from leco.model.pretrained import DEMO_BACKBONE
from leco.pipeline import HISTORY, TRAINING, search, train


def measure(model, glue_dir, rows, device, bf16):
    """Seconds of an epoch of search and of training, and of all exits on dev; AVG on dev."""
    options = {"glue_dir": glue_dir, "train_rows": rows, "device": device, "bf16": bf16}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        found, trained = root / "found", root / "trained"
        search(model, "glue/sst-2", found, preset="sampling", search_epochs=3, **options)
        exits = str(found / "architectures.json")
        train(model, "glue/sst-2", trained, preset="quick", epochs=3, exits=exits, **options)
        data = load_data("glue/sst-2", glue_dir=glue_dir)
        loaded = load_model(trained, device)
        encodings = tokens(loaded, data.dev)
        stored_outputs(loaded, data.dev, encodings, data.metric, "dev")
        started = time.perf_counter()
        stored = stored_outputs(loaded, data.dev, encodings, data.metric, "dev")
        evaluation = time.perf_counter() - started
        return {
            "search": min(read_json(found / HISTORY)["seconds"][1:]),
            "training": min(epoch["seconds"] for epoch in read_json(trained / TRAINING)["epochs"]),
            "evaluation": evaluation,
            "dev_avg": float(np.mean(stored.by_exit())),
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=DEMO_BACKBONE)
    parser.add_argument("--glue-dir", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    import torch

    result = {
        f"{device}{' bf16' if bf16 else ''}": measure(arguments.model, arguments.glue_dir, arguments.rows, device, bf16)
        for device in ("cpu", "cuda")
        for bf16 in (False, True)
    }
    about = {**machine(), "device": torch.cuda.get_device_name()}
    result = {"model": Path(arguments.model).name, "rows": arguments.rows, "results": result}
    for name, values in result["results"].items():
        print(name, {key: round(value, 3) for key, value in values.items()})
    if arguments.json:
        write_json(arguments.json, {**result, "versions": versions(), "machine": about})


if __name__ == "__main__":
    main()
