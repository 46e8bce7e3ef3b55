"""Tables from the records alone: in Markdown, LaTeX and CSV, with spreads, significance and the paper's numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from leco.files import write_csv, write_text
from leco.reproduction.grids import Grid, Row
from leco.reproduction.results_folder import ResultsFolder
from leco.settings import layer_numbers

Array = NDArray[Any]
SIGNIFICANT = 0.05
COLUMNS = ("method", "task", "seed", "layer", "score", "paper_avg", "paper_best")


@dataclass(frozen=True)
class Entry:
    """What the cells of a row have for a task, in percent: the test scores [seeds, layers], by seed and exit.

    `layers` are those that have an exit. `paper` is the paper's AVG and BEST; `parameters` the mean number of
    parameters of an exit.
    """

    row: str
    task: str
    scores: Array
    seeds: tuple[int, ...]
    layers: tuple[int, ...]
    parameters: float
    paper: tuple[float, float | None] | None

    @property
    def avg(self) -> Array:
        """The mean over the exits, by seed."""
        return self.scores.mean(1)

    @property
    def best(self) -> Array:
        """The best exit's score, by seed."""
        return self.scores.max(1)


@dataclass(frozen=True)
class Test:
    """One-sided paired Wilcoxon signed-rank tests of our AVG against the best baseline's.

    Over `n` seeds (with 5, p cannot be below 0.031), and over layer-seed pairs, which are not independent. `lead` and
    `spread` are mean and standard deviation over the seeds of how much higher our AVG is, in points.
    """

    against: str
    lead: float
    spread: float
    n: int
    p: float
    pairs: int
    p_pairs: float


def entries(grid: Grid, tasks: Sequence[str], seeds: int, folder: ResultsFolder) -> list[Entry]:
    """What there is of a grid; rows and tasks of which no cell is finished are left out."""
    found = []
    for task in tasks:
        for row in grid.rows:
            done = [seed for seed in range(seeds) if grid.cell(row, task, seed) in folder]
            if done:
                found.append(_entry(grid, row, task, done, folder))
    return found


def _entry(grid: Grid, row: Row, task: str, seeds: list[int], folder: ResultsFolder) -> Entry:
    results = [folder[grid.cell(row, task, seed)] for seed in seeds]
    scores = 100 * np.array([result["test"] for result in results])
    parameters = float(np.mean([result["exit_parameters"] for result in results]))
    layers = layer_numbers(dict(row.cell.options).get("exit_layers")) or tuple(range(1, scores.shape[1] + 1))
    return Entry(row.name, task, scores, tuple(seeds), layers, parameters, row.paper.get(task))


def significance(ours: Entry, baselines: Sequence[Entry]) -> Test | None:
    """Ours against the baseline with the best mean AVG, on the seeds that both have; None where there are under two."""
    if not baselines:
        return None
    other = max(baselines, key=lambda entry: float(entry.avg.mean()))
    gaps = differences(ours, other)
    if len(gaps) < 2:
        return None
    by_seed, by_pair = gaps.mean(1), gaps.ravel()
    lead, spread = float(by_seed.mean()), float(by_seed.std(ddof=1))
    return Test(other.row, lead, spread, len(gaps), one_sided_p(by_seed), by_pair.size, one_sided_p(by_pair))


def differences(ours: Entry, other: Entry) -> Array:
    """How much higher each exit of ours scores than the other's [seeds, layers], on the seeds that both have."""
    common = sorted(set(ours.seeds) & set(other.seeds))
    own, theirs = (entry.scores[[entry.seeds.index(seed) for seed in common]] for entry in (ours, other))
    return own - theirs


def one_sided_p(gaps: Array) -> float:
    """The p of a Wilcoxon signed-rank test that paired differences are above 0; 1 where all of them are 0.

    Scores are counted on the same texts, so that differences are often alike; rounding keeps them so.
    """
    gaps = np.round(gaps, 9)
    if not np.any(gaps):
        return 1.0
    return float(wilcoxon(gaps, alternative="greater").pvalue)


def write_table(grid: Grid, tasks: Sequence[str], seeds: int, folder: ResultsFolder, made: str) -> str:
    """Write `grid.name` with .md, .tex and .csv from its records beside them, and give the Markdown.

    `made` says by which settings; it is in both but the last.
    """
    found = entries(grid, tasks, seeds, folder)
    present = [task for task in tasks if any(entry.task == task for entry in found)]
    cells = {(entry.row, entry.task): entry for entry in found}
    tests = {(row.name, task): _test(grid, row, found, task) for row in grid.rows for task in present}
    header = ["method"] + [f"{task} {name}" for task in present for name in ("AVG", "BEST", "paper")]
    header.append("parameters of an exit")
    lines = []
    for row in grid.rows:
        line, counts = [row.name], []
        for task in present:
            entry = cells.get((row.name, task))
            line += _shown(entry, [c for (_, t), c in cells.items() if t == task], tests[row.name, task])
            counts += [entry.parameters] if entry else []
        lines.append([*line, f"{np.mean(counts):,.0f}" if counts else ""])
    notes = [
        f"- {task}: AVG of {row} less that of {test.against}: {test.lead:+.1f} ± {test.spread:.1f}, "
        f"n = {test.n} seeds, p = {test.p:.3f}; over {test.pairs} layer-seed pairs p = {test.p_pairs:.3f}."
        for (row, task), test in tests.items()
        if test
    ]
    text = "\n".join([f"**{grid.title}**", "", made, "", markdown(header, lines), "", *notes]) + "\n"
    write_text(folder.root / f"{grid.name}.md", text)
    write_text(folder.root / f"{grid.name}.tex", latex(header, lines, made))
    write_csv(folder.root / f"{grid.name}.csv", COLUMNS, _csv_rows(found))
    return text


def _test(grid: Grid, row: Row, found: Sequence[Entry], task: str) -> Test | None:
    """A row against its rival or, ours, against all baselines; None for a row that is not tested."""
    rivals = {row.rival} if row.rival else {one.name for one in grid.rows if one.baseline and one is not row}
    if not row.rival and row.name != grid.ours:
        return None
    own = [entry for entry in found if entry.task == task and entry.row == row.name]
    others = [entry for entry in found if entry.task == task and entry.row in rivals]
    return significance(own[0], others) if own else None


def _shown(entry: Entry | None, column: Sequence[Entry], test: Test | None) -> list[str]:
    """AVG and BEST with their spread over the seeds, the best of a column in bold, and the paper's."""
    if entry is None:
        return ["", "", ""]
    shown = []
    for name in ("avg", "best"):
        values = getattr(entry, name)
        text = mean_and_spread(values)
        if values.mean() == max(getattr(other, name).mean() for other in column):
            text = f"**{text}**"
        if name == "avg" and test and test.p < SIGNIFICANT:
            text += "\\*"
        shown.append(text)
    paper = "" if entry.paper is None else " / ".join(f"{value}" for value in entry.paper if value is not None)
    return [*shown, paper]


def mean_and_spread(values: Sequence[float] | Array, sign: str = "") -> str:
    """The mean, with `sign` "+" always signed, and the standard deviation where there are several values."""
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):{sign}.1f}{spread}"


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines))


def latex(header: Sequence[str], lines: Sequence[Sequence[str]], made: str) -> str:
    """The same in LaTeX, for the package booktabs, below a comment that says how it was `made`."""
    rows = [" & ".join(_tex(cell) for cell in line) + r" \\" for line in (header, *lines)]
    rows.insert(1, r"\midrule")
    body = "\n".join([r"\toprule", *rows, r"\bottomrule"])
    columns = "l" + "r" * (len(header) - 1)
    return f"% {made}\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"


def _tex(cell: str) -> str:
    starred = cell.endswith("\\*")
    text = cell.removesuffix("\\*")
    bold = text.startswith("**")
    text = text.strip("*").replace("±", r"$\pm$").replace("_", r"\_").replace("%", r"\%")
    return (rf"\textbf{{{text}}}" if bold else text) + ("$^*$" if starred else "")


def _csv_rows(found: Sequence[Entry]) -> Iterator[list[Any]]:
    """For each layer of each cell its `COLUMNS`."""
    for entry in found:
        for seed, scores in zip(entry.seeds, entry.scores, strict=True):
            for layer, score in zip(entry.layers, scores, strict=True):
                yield [entry.row, entry.task, seed, layer, f"{score:.4f}", *(entry.paper or (None, None))]
