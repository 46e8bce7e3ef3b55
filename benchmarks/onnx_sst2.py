"""An exported model on SST-2: score and speed beside the plain model and first-k-layers models, and the same answers.

python -m benchmarks.onnx_sst2 sst2 --glue-dir GLUE    # writes benchmarks/results/onnx_sst2.json

common/sst2.py says what sst2 is. The first run fine-tunes the backbone's first layers too, kept in sst2/bench.
"""

import numpy as np

from benchmarks.common.early import NEVER, early_ways, timed
from benchmarks.common.few import few_settings
from benchmarks.common.fused_norms import with_fused_norms
from benchmarks.common.recording import report
from benchmarks.common.sst2 import on_sst2
from leco import Cobee, Entropy, Patience, Pcee, PredictorSpec, Static
from leco.bench import Contenders, Way
from leco.data import load_data
from leco.evaluation.scores import choose_setting, settings
from leco.export import ModelWriter, export_onnx
from leco.export.choice import stored
from leco.export.files import write_model
from leco.runtime import Session

MAX_DROP = 0.0
"""The score that a chosen setting may cost on dev."""
FUSED = "plain, norms fused by ONNX Runtime"
"""The plain model as ONNX Runtime's optimizer makes it, which is slower than as we write it."""
CUTS = (1, 2, 3)
"""Numbers of first layers that are fine-tuned to compare with."""
CURVE = 8
"""Settings of COBEE and of entropy on their curves, beside the chosen ones."""
KINDS = (Cobee, Entropy, Pcee)
"""Criteria of which a setting is chosen."""
CLOSE = 1e-5
"""Where what decides is so close to the threshold, rounding may decide otherwise."""


def speed(model, data, contenders, arguments):
    """The ways by the criteria chosen on dev; every way's score on test and its time at batch sizes 1 and 32; the
    throughputs.
    """
    dev = stored(ModelWriter(model, int8=True).all_exits(), model, data.dev, data.metric, "dev")
    chosen = [choose_setting(kind, dev, model.task, MAX_DROP).criterion for kind in KINDS]
    tried = [one for kind in KINDS[:2] for one in few_settings(settings(kind, dev, model.task), model.task, CURVE)]
    early = early_ways(model, contenders.work, dict.fromkeys([NEVER, *chosen, *tried]), int8=True)
    file = contenders.work / "fused-norms.onnx"
    write_model(with_fused_norms(ModelWriter(model, int8=True).full_depth()), file, model, Static(), int8=True)
    static = [Way(FUSED, PredictorSpec(file)), *(contenders.against(f"first:{layers}", int8=True) for layers in CUTS)]
    rows = timed([contenders.plain(int8=True), *early, *static], data, arguments)
    texts = data.test.texts[: arguments.texts]
    ways = [way for way in early if way.criterion in chosen]
    return ways, rows, {way.name: compaction(rows, way, texts) for way in ways}


def compaction(rows, way, texts):
    """Throughput at batch size 32 as a share of the ideal, full depth's divided by the mean share of the layers used.

    Long texts leave later, so that even an engine without any overhead falls short of that; another share is of the
    ideal in which each text counts by its tokens. The last is of the ideal that starts from the same model with exits
    computed and none taken: what compaction alone makes of it.
    """
    at_32 = {row["way"]: row for row in rows if row["batch_size"] == 32}
    early, none_taken = at_32[way.name]["ratio"], at_32[str(NEVER)]["ratio"]
    session = Session(way.predictor.path)
    encodings = session.encode(texts)
    used = session.decide(encodings, way.criterion, batch_size=32).exit_layers / session.num_layers
    lengths = np.array([len(encoding["input_ids"]) for encoding in encodings])
    ideal, by_tokens = float(used.mean()), float((used * lengths).sum() / lengths.sum())
    return {
        "of_ideal": ideal / early,
        "of_ideal_by_tokens": by_tokens / early,
        "of_ideal_with_exits": none_taken * ideal / early,
    }


def agreement(model, texts, work):
    """How many texts leave elsewhere, or with another label, than in PyTorch, by criterion; and how many may."""
    result = {}
    for criterion in (model.config.criterion, Patience(patience=2)):
        file = work / "agreement.onnx"
        export_onnx(model, file, criterion=criterion)
        expected, answers = model.predict(texts, criterion, 32), Session(file).predict(texts, batch_size=32)
        differ = differing(expected, answers)
        near = [row for row in differ if is_near(model, texts[row], criterion, expected[row], answers[row])]
        result[str(criterion)] = {"texts": len(texts), "differ": len(differ), "near": len(near)}
    return result


def differing(some, others):
    """The texts that leave elsewhere, or with another label."""
    pairs = zip(some, others, strict=True)
    return [row for row, (a, b) in enumerate(pairs) if (a.label, a.exit_layer) != (b.label, b.exit_layer)]


def batched(way, split):
    """What an int8 file makes of texts that run together, in place of alone."""
    session = Session(way.predictor.path)
    alone, together = (session.predict(split.texts, way.criterion, batch_size=size) for size in (1, 32))
    names = np.array(session.label_names)[split.labels]
    right = [float(np.mean([answer.label for answer in answers] == names)) for answers in (alone, together)]
    return {"texts": len(alone), "differ": len(differing(alone, together)), "right": right}


def is_near(model, text, criterion, one, other):
    """Whether what decides at the earlier of two exit layers is within `CLOSE` of the threshold."""
    layer = min(one.exit_layer, other.exit_layer)
    now, before = (model.predict([text], Static(number))[0].scores for number in (layer, max(layer - 1, 1)))
    label = max(now, key=now.get)
    if isinstance(criterion, Cobee):
        return abs(abs(now[label] - before[label]) - criterion.tau) < CLOSE
    first, second = sorted(now.values())[-2:]
    return abs(second - first) < CLOSE


def main():
    arguments, model, data = on_sst2(texts=872, rounds=5)
    contenders = Contenders(model, arguments.model, arguments.model / "bench", arguments.glue_dir)
    chosen, rows, shares = speed(model, data, contenders, arguments)
    rte = load_data("glue/rte", glue_dir=arguments.glue_dir).test.texts
    same = {
        name: agreement(model, texts, contenders.work) for name, texts in (("SST-2", data.test.texts), ("RTE", rte))
    }
    together = {way.name: batched(way, data.test) for way in chosen}
    found = {"chosen": list(together), "compaction": shares, "agreement": same, "batched": together, "ways": rows}
    report("benchmarks/onnx_sst2", [found])
    for row in rows:
        print(np.round([row["score"], row["layers"], row["ratio"], row["ratio_low"], row["ratio_high"]], 3), row["way"])


if __name__ == "__main__":
    main()
