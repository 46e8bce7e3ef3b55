"""Which learning rate exits want: the exits found, the MHA exit and two attentions everywhere, at several rates.

python -m studies.exit_rates cola --glue-dir GLUE    # writes studies/results/exit_rates_cola.json

All stand side by side on each layer, as common/side_by_side.py says, several times from weights of their own; the
scores are dev's.
"""

from studies.common.side_by_side import LAYERS, dev_scores, main
from studies.found_exits import VARIANTS, searched

RATES = (2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3)
EXITS = ("MHA exit", "found", "everywhere two attentions of 4 heads, tanh, mean")


def compared(task, data, copies):
    by_layer = [[VARIANTS[name](one) for name in EXITS for _ in RATES for _ in range(copies)] for one in searched(task)]
    found = dev_scores(data, by_layer, [rate for _ in EXITS for rate in RATES for _ in range(copies)])
    avg = found.reshape(LAYERS, len(EXITS), len(RATES), copies).mean(0)
    return {"task": task, "metric": data.metric, "rates": RATES, "avg": dict(zip(EXITS, avg.tolist(), strict=True))}


if __name__ == "__main__":
    main("exit_rates", compared, copies=2)
