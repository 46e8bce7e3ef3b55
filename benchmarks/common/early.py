"""Ways to answer by an exported model's exits: settings that are timed beside others at batch sizes 1 and 32."""

from dataclasses import asdict

from leco import Cobee, PredictorSpec
from leco.bench import Way, bench
from leco.export import export_onnx

NEVER = Cobee(tau=0.0)
"""By which no text leaves early, but all exits are computed."""


def early_ways(model, folder, criteria, *, int8):
    """A way for each of the settings; those of one kind share a file in `folder`."""
    precision, files = "int8" if int8 else "float32", {}
    for criterion in criteria:
        if type(criterion) not in files:
            files[type(criterion)] = folder / f"{criterion.name}-{precision}.onnx"
            export_onnx(model, files[type(criterion)], criterion=criterion, int8=int8)
    return [Way(str(one), PredictorSpec(files[type(one)]), criterion=one) for one in criteria]


def timed(ways, data, arguments):
    """What `leco.bench` measures of the ways, with the arguments' texts and rounds, as rows of a result."""
    rows = bench(ways, data, texts=arguments.texts, rounds=arguments.rounds, batch_sizes=(1, 32))
    return [asdict(row) for row in rows]
