"""Whether certificates keep what they promise, by simulation over what real exits said of real texts.

python -m studies.certificates --models MODELS --glue-dir GLUE     # about 10 minutes on a core
python -m studies.certificates --render                            # writes the tables of what there is

The cells are those of `studies.standardized` with linear exits whose outputs lie in studies/results/outputs. The texts
of test are the population, so that the risk of each setting is known: its mean loss there. Of it calibration texts are
drawn, with replacement, 1,000 times; dev fixes the order of settings, as in `leco fit`.
"""

from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.common.few import few_settings
from benchmarks.common.recording import DOCS, read, report, source, write_between
from leco.calibration import LOSSES, RULES, percent
from leco.evaluation.scores import settings
from leco.reproduction.tables import markdown
from leco.settings import AUTO
from studies.common.outputs import kinds_for, stored_outputs, task_of
from studies.common.own_results import RESULTS, command_line
from studies.standardized import linear_with_outputs

PAGE = DOCS / "certificates.md"
NAME = "studies/certificates"
BEGIN, END = "<!-- simulation: begin -->", "<!-- simulation: end -->"
TASKS = "glue/sst-2", "glue/mrpc", "glue/cola", "demo/rotten_tomatoes"
RESAMPLES, IN_CHUNK = 1_000, 100
CONFIDENCE = 0.9
FINE, COARSE = 20, 5
"""Settings of each kind of criterion, about."""
CASES = (
    ("worse", 0.02, 150, FINE),
    ("worse", 0.02, 400, FINE),
    ("worse", 0.05, 150, COARSE),
    ("worse", 0.05, 400, COARSE),
    ("worse", 0.05, 400, FINE),
    ("disagreement", 0.05, 150, FINE),
    ("disagreement", 0.05, 400, COARSE),
)
"""Loss, promised bound, number of calibration texts, and number of settings."""


def early_settings(dev, task):
    """Of each kind of criterion the settings by which some texts of dev leave early."""
    for kind in kinds_for(dev):
        yield kind.name, [one for one in settings(kind, dev, task) if one.mean_exit_layer < task.num_layers]


def selections(losses, rule, bound, delta, draws):
    """The place [R] of what a rule selects on each of the draws, -1 for full depth.

    Where a rule stops at the first failure, draws that have failed are not looked at again: `rule.select`, but faster.
    The running maximum of a text's losses is that of the draws in which it is.
    """
    if not rule.stops:
        parts = np.array_split(draws, max(len(draws) // IN_CHUNK, 1))
        return np.concatenate([rule.select(losses[:, part].transpose(1, 0, 2), bound, delta) for part in parts])
    places = np.full(len(draws), -1)
    alive = np.arange(len(draws))
    for place, some in enumerate(np.maximum.accumulate(losses) if not rule.confident else losses):
        alive = alive[rule.passes(some[draws[alive]][:, None], bound, delta)[:, 0]]
        places[alive] = place
    return places


def outcome(chosen, risks, layers, task, bound):
    """The line of what was selected [R], of settings with these risks and mean exit layers [S]; see `tally`."""
    risk = np.where(chosen < 0, 0.0, risks[np.maximum(chosen, 0)])
    saved = np.where(chosen < 0, 0.0, 1 - layers[np.maximum(chosen, 0)] / task.num_layers)
    return tally(risk, saved, bound)


def tally(risk, saved, bound):
    """How often risks [R] exceed the bound, with the interval of that, their mean, and that of what is saved [R]."""
    exceeds = int((risk > bound + 1e-12).sum())
    low, high = stats.binomtest(exceeds, len(risk)).proportion_ci()
    share = exceeds / len(risk)
    numbers = {"exceeds": share, "low": low, "high": high, "risk": risk.mean(), "saved": saved.mean()}
    return {name: round(float(value), 4) for name, value in numbers.items()}


def simulate_case(one, early, test, case):
    """The lines of a case: each criterion, of which the early settings are given, and auto over all; by every rule."""
    loss, bound, rows, points = case
    task = task_of(test)
    population = np.arange(len(test.split))
    tried = {}
    for name, some in early.items():
        layers = np.stack([test.exit_layers(criterion, task) for criterion in few_settings(some, task, points)])
        answers = test.scores[layers - 1, population]
        losses = LOSSES[loss].of(test.problem, answers, test.scores[-1], test.split.labels)
        tried[name] = losses, layers
    draws = np.random.default_rng(0).integers(0, len(population), (RESAMPLES, rows))
    about = {"model": Path(one.model).name, "task": one.task, "seed": one.seed}
    about["train_rows"] = dict(one.options).get("train_rows")
    about |= {"loss": loss, "bound": bound, "rows": rows, "settings": points}
    for method, rule in RULES.items():
        shared = rule.share(bound, 1 - CONFIDENCE, len(tried))
        best = {"layers": np.full(RESAMPLES, np.inf), "risk": np.zeros(RESAMPLES), "saved": np.zeros(RESAMPLES)}
        for name, (losses, layers) in tried.items():
            risks, means = losses.mean(-1), layers.mean(-1)
            chosen = selections(losses, rule, bound, 1 - CONFIDENCE, draws)
            yield {**about, "criterion": name, "method": method, **outcome(chosen, risks, means, task, bound)}
            place = selections(losses, rule, *shared, draws)
            seen = layers[np.maximum(place, 0)[:, None], draws].mean(-1)  # as the calibration texts leave
            better = (place >= 0) & (seen < best["layers"])
            now = {"layers": seen, "risk": risks[place], "saved": 1 - means[place] / task.num_layers}
            best = {key: np.where(better, now[key], best[key]) for key in best}
        yield {**about, "criterion": AUTO, "method": method, **tally(best["risk"], best["saved"], bound)}


def by_case(rows):
    """Each case by every method, over cells and criteria."""
    for loss, bound, number, points in CASES:
        case = {"loss": loss, "bound": bound, "rows": number, "settings": points}
        for method in RULES:
            found = [row for row in rows if row["method"] == method and case.items() <= row.items()]
            if found:
                yield [loss, percent(bound), str(number), str(points), method, *summary(found)]


def by_criterion(rows):
    """Each criterion by every method, over cells and cases."""
    for name in dict.fromkeys(row["criterion"] for row in rows):
        line = [name]
        for method in RULES:
            found = [row for row in rows if (row["criterion"], row["method"]) == (name, method)]
            worst = max(found, key=lambda row: row["exceeds"])
            line.append(f"{share(worst['exceeds'])}, {share(np.mean([row['saved'] for row in found]))}")
        yield line


def summary(found):
    """Of some lines: how many there are, the mean and the largest share that exceeds, the risk, and what is saved."""
    worst = max(found, key=lambda row: row["exceeds"])
    return [
        str(len(found)),
        share(np.mean([row["exceeds"] for row in found])),
        f"{share(worst['exceeds'])} ({share(worst['low'])} to {share(worst['high'])})",
        str(sum(row["low"] > 1 - CONFIDENCE for row in found)),
        f"{100 * max(row['risk'] for row in found):.2f} %",
        share(np.mean([row["saved"] for row in found])),
    ]


def verdict(rows):
    """What comes of it, in two sentences."""
    by_method = {method: [row for row in rows if row["method"] == method] for method in RULES}
    above = {method: sum(row["low"] > 1 - CONFIDENCE for row in some) for method, some in by_method.items()}
    saved = {method: share(np.mean([row["saved"] for row in some])) for method, some in by_method.items()}
    kept = all(row["risk"] <= row["bound"] for row in by_method["crc"])
    return (
        f"Of {len(by_method['ltt'])} simulations of each method the risk exceeds the bound in surely more than 10 % of "
        f"the draws in {', '.join(f'{number} ({method})' for method, number in above.items())}; the mean risk of `crc` "
        f"is {'always' if kept else 'not always'} within it. What the promise costs: on average "
        f"{', '.join(f'{value} ({method})' for method, value in saved.items())} of the layers are saved."
    )


def share(value):
    """A share as a percentage."""
    return f"{100 * value:.1f} %"


def cell_named(row):
    """The cell of a row, in words."""
    rows = f"{row['train_rows']:,} training rows, " if row["train_rows"] else ""
    return f"{row['task'].split('/')[1]} ({row['model']}, {rows}seed {row['seed']})"


def render():
    """Write the tables into the page."""
    result = read(NAME)
    rows = result["rows"]
    heads = ["loss", "promise", "texts", "settings", "method", "simulations", "exceeds: mean", "worst (95 % interval)"]
    heads += ["surely above 10 %", "largest mean risk", "layers saved"]
    of_cells = dict.fromkeys(cell_named(row) for row in rows)
    texts = [
        f"Cells: {', '.join(of_cells)}; {RESAMPLES:,} resamples each.",
        verdict(rows),
        markdown(heads, by_case(rows)),
        "The same by criterion: the worst share of resamples that exceed the promise, and the layers saved on average.",
        markdown(["criterion", *RULES], by_criterion(rows)),
        source(result),
    ]
    write_between(PAGE, BEGIN, END, "\n\n".join(texts))


def main():
    arguments = command_line().parse_args()
    if not arguments.render:
        lines = []
        for one in linear_with_outputs(arguments.models, TASKS):
            dev, test = stored_outputs(RESULTS, one, arguments.glue_dir)
            early = {name: some for name, some in early_settings(dev, task_of(dev)) if some}
            lines += [line for case in CASES for line in simulate_case(one, early, test, case)]
        report(NAME, lines)
    render()


if __name__ == "__main__":
    main()
