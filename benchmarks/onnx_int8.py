"""int8 in which a text has one answer, beside int8 by batch, ONNX Runtime's own dynamic and static int8, and float32.

python -m benchmarks.onnx_int8 sst2 --glue-dir GLUE                # writes benchmarks/results/onnx_int8.json
python -m benchmarks.onnx_int8 sst2 sst2-mpnet --glue-dir GLUE     # two encoders
python -m benchmarks.onnx_int8 sst2 --glue-dir GLUE --texts 60 --rounds 3    # a trial, in a few minutes

common/sst2.py says what sst2 is. Every model is timed at full depth, and with its own criterion in ours and by batch.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static

from benchmarks.common.by_batch import by_batch
from benchmarks.common.recording import report
from benchmarks.common.timing import interleaved, ratio
from leco import Static
from leco.data import load_data
from leco.evaluation import align_labels
from leco.export import ModelWriter
from leco.export.files import write_model
from leco.export.traced import TracedBackbone
from leco.model import load_model
from leco.runtime import Session

SIZES = 1, 8, 32
OURS, BATCH, FLOAT = "int8", "int8 by batch", "float32"
CALIBRATION = 128
"""Training texts from which ONNX Runtime takes its static ranges."""
OPTIONS = {"DefaultTensorType": onnx.TensorProto.FLOAT}


class Texts(CalibrationDataReader):
    """Encoded texts, one at a time, as ONNX Runtime wants them."""

    def __init__(self, batches):
        self.batches = iter(batches)

    def get_next(self):
        """The next text, or None."""
        return next(self.batches, None)


def own(model, data, work):
    """The plain model as ONNX Runtime's tools make it int8: dynamic, and static over training texts."""
    files = {name: work / f"{name}.onnx" for name in ("fused", "traced", "dynamic", "static")}
    onnx.save(ModelWriter(model).full_depth(), files["fused"])
    writer = ModelWriter(model)  # the static tool knows no fused attention
    writer.backbone = TracedBackbone(model.backbone, int8=False, opset=writer.opset)
    onnx.save(writer.full_depth(), files["traced"])
    settings = {"per_channel": True, "weight_type": QuantType.QInt8, "extra_options": OPTIONS}
    quantize_dynamic(files["fused"], files["dynamic"], **settings)
    names = [value.name for value in onnx.load(files["traced"]).graph.input]
    encodings = model.encode(data.train.texts[:CALIBRATION])
    batches = [{name: np.array([encoding[name]]) for name in names} for encoding in encodings]
    quantize_static(files["traced"], files["static"], Texts(batches), op_types_to_quantize=["MatMul"], **settings)
    return {f"ONNX Runtime's {name}": onnx.load(files[name]) for name in ("dynamic", "static")}


def sessions(model, data, work):
    """The files that are compared, by name, loaded."""
    plain = {
        FLOAT: ModelWriter(model).full_depth(),
        OURS: ModelWriter(model, int8=True).full_depth(),
        BATCH: by_batch(model).full_depth(),
        **own(model, data, work),
    }
    criterion = model.config.criterion
    early = {
        f"{OURS}, early": ModelWriter(model, int8=True).early_exit(criterion),
        f"{BATCH}, early": by_batch(model).early_exit(criterion),
    }
    loaded = {}
    for graphs, leaves_by in ((plain, Static()), (early, criterion)):
        for name, graph in graphs.items():
            file = work / f"written-{len(loaded)}.onnx"
            write_model(graph, file, model, leaves_by, int8=name != FLOAT)
            loaded[name] = Session(file, threads=2)
    return loaded


def score(found, labels):
    return float((found.scores.argmax(1) == labels).mean())


def measure(model, data, texts, rounds):
    """A row for each way and batch size: score, how many texts are answered otherwise than alone, time."""
    with TemporaryDirectory() as work:
        ways = sessions(model, data, Path(work))
    split = data.test
    encodings, labels = model.encode(split.texts), np.asarray(split.labels)
    alone = {name: session.decide(encodings) for name, session in ways.items()}
    rows = []
    for size in SIZES:
        runs = {
            name: lambda one=session, size=size: one.decide(encodings[:texts], batch_size=size)
            for name, session in ways.items()
        }
        seconds = interleaved(runs, rounds)
        for name, session in ways.items():
            found = alone[name] if size == 1 else session.decide(encodings, batch_size=size)
            moved = found.exit_layers != alone[name].exit_layers
            moved |= found.scores.argmax(1) != alone[name].scores.argmax(1)
            rows.append(
                {
                    "way": name,
                    "batch_size": size,
                    "score": score(found, labels),
                    "layers": float(found.exit_layers.mean()) / model.num_layers,
                    "moved": int(moved.sum()),
                    "texts": len(labels),
                    "largest": float(np.abs(found.scores - alone[name].scores).max()),
                    "from_float32": float(np.sqrt(np.mean((found.scores - alone[FLOAT].scores) ** 2))),
                    "ms": 1000 * float(np.median(seconds[name])) / texts,
                    "ratio": ratio(seconds, name, f"{BATCH}, early" if "early" in name else BATCH),
                }
            )
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    results = []
    for folder in arguments.models:
        model = load_model(folder)
        data = align_labels(load_data("glue/sst-2", glue_dir=arguments.glue_dir), model)
        size = f"{model.num_layers} layers, hidden {model.config.backbone_config.hidden_size}"
        rows = measure(model, data, min(arguments.texts, len(data.test)), arguments.rounds)
        results += [{"backbone": size, **row} for row in rows]
        for row in rows:
            print({name: np.round(value, 4) if isinstance(value, float) else value for name, value in row.items()})
    report("benchmarks/onnx_int8", results)


if __name__ == "__main__":
    main()
