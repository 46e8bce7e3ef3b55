"""Criteria, tasks and exits' outputs to try: whatever is registered is found here by itself."""

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import leco.criteria
from leco.criteria import CRITERIA, DOUBTS, EVIDENCE, MULTI_LABEL, REGRESSION, Criterion, Observed, Task

ON_PROBLEMS = [(name, problem) for name, cls in CRITERIA.items() for problem in sorted(cls.problem_types)]
"""Each criterion with each kind of problem that it is defined for."""


examples = settings(deadline=None, derandomize=True, max_examples=25)
"""The same examples on each run, and no deadline on a busy machine."""


def outputs(logits: np.ndarray, problem_type: str) -> np.ndarray:
    """What exits with these logits [M, N, K] put out."""
    if problem_type == REGRESSION:
        return logits
    if problem_type == MULTI_LABEL:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def random_scores(task: Task, rows: int, seed: int = 0, change: float = 1.0) -> np.ndarray:
    """Outputs [M, N, K] of exits that differ from layer to layer by `change`."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(task.num_layers, rows, task.num_outputs))
    steps[1:] *= change
    return outputs(steps.cumsum(0), task.problem_type)


def observed_of(scores: np.ndarray) -> Observed:
    """Some doubts [.., N] and evidence [.., N, 2] of exits with these outputs [.., N, K], where any will do."""
    share = scores[..., 0] % 1
    return {DOUBTS: share, EVIDENCE: np.stack([4 * scores.max(-1) - 2, share], axis=-1)}


def simulate(criterion: Criterion, scores: np.ndarray, task: Task) -> np.ndarray:
    """`leco.criteria.simulate`, with what else criteria ask for."""
    return leco.criteria.simulate(criterion, scores, task, observed_of(scores))


def random_labels(task: Task, rows: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if task.problem_type == MULTI_LABEL:
        return rng.integers(0, 2, size=(rows, task.num_outputs))
    return rng.integers(0, task.num_outputs, size=rows)


def variants(criterion: Criterion) -> list[Criterion]:
    """The criterion with each combination of its settings that are choices, not numbers."""
    choices: dict[str, Sequence[Any]] = {}
    for field in fields(criterion):
        if field.metadata.get("choices"):
            choices[field.name] = field.metadata["choices"]
        elif isinstance(field.default, bool):
            choices[field.name] = (False, True)
    return [replace(criterion, **dict(zip(choices, chosen, strict=True))) for chosen in product(*choices.values())]


def settings_of(name: str, task: Task, labels: np.ndarray, most: int = 8) -> list[Criterion]:
    """The ends of the sweep and at most so many settings between, each with all variants; the oracle has one."""
    if not CRITERIA[name].deployable:
        return [CRITERIA[name](labels=labels)]
    sweep = CRITERIA[name].sweep(task)
    between = np.random.default_rng(0).permutation(len(sweep))[:most]
    chosen = sorted({0, len(sweep) - 1, *between.tolist()})
    return [variant for index in chosen for variant in variants(sweep[index])]


def for_rows(criterion: Criterion, rows: Any) -> Criterion:
    """The criterion for some of the rows only: one that needs labels gets theirs."""
    return criterion if criterion.deployable else replace(criterion, labels=criterion.labels[rows])


@st.composite
def stored_exits(draw: st.DrawFn, problem_type: str) -> tuple[Task, np.ndarray, np.ndarray]:
    """A small task, exits' outputs (float32 [M, N, K], with ties and certainties in them) and labels."""
    outputs_from = {REGRESSION: (1, 1), MULTI_LABEL: (1, 4)}.get(problem_type, (2, 4))
    task = Task(draw(st.integers(*outputs_from)), draw(st.integers(1, 7)), problem_type)
    rows = draw(st.integers(1, 6))
    logits = draw(
        hnp.arrays(np.float32, (task.num_layers, rows, task.num_outputs), elements=st.floats(-30, 30, width=32))
    )
    return task, outputs(logits, problem_type), random_labels(task, rows, draw(st.integers(0, 9)))
