"""What a sum and its norm cost in ONNX Runtime as one fused operator and as two, on one thread.

python -m benchmarks.onnx_norms    # writes benchmarks/results/onnx_norms.json
"""

import numpy as np
from onnx import helper

from benchmarks.common.fused_norms import with_fused_norms
from benchmarks.common.recording import report
from benchmarks.common.timing import interleaved, ratio
from leco.export.graph import FLOAT, Graph, make_model
from leco.runtime.session import open_session

LENGTHS, WIDTHS = (16, 128), (384, 768)
NORMS, ROUNDS = 20, 200
"""Norms one after the other in a graph, and how often it is run."""


def graph(width):
    """A graph of `NORMS` times a sum with the input and a norm."""
    made, random = Graph(), np.random.default_rng(0)
    x, weights = "x", [made.weight(random.standard_normal(width).astype(np.float32)) for _ in range(2)]
    for _ in range(NORMS):
        x = made.op("LayerNormalization", made.op("Sum", x, "x"), *weights)
    shape = ["batch", "length", width]
    output = made.output(x, "y", FLOAT, shape)
    return make_model(made, [helper.make_tensor_value_info("x", FLOAT, shape)], [output], 18)


def main():
    rows = []
    for width in WIDTHS:
        models = {"two": graph(width), "fused": with_fused_norms(graph(width))}
        sessions = {name: open_session(model.SerializeToString(), threads=1) for name, model in models.items()}
        for length in LENGTHS:
            x = np.random.default_rng(1).standard_normal((1, length, width)).astype(np.float32)
            runs = {name: lambda one=session, x=x: one.run(None, {"x": x}) for name, session in sessions.items()}
            seconds = interleaved(runs, ROUNDS)
            microseconds = {name: 1e6 * float(np.median(values)) / NORMS for name, values in seconds.items()}
            rows.append({"width": width, "tokens": length, **microseconds, "ratio": ratio(seconds, "fused", "two")})
    report("benchmarks/onnx_norms", rows)


if __name__ == "__main__":
    main()
