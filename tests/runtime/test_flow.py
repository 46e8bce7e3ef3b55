"""Rows that enter and leave at any time have the answers that they have alone."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from leco.criteria import Cap, Cobee, Lte, MaxProbability, Patience, Static
from leco.exits.architecture import LINEAR
from leco.runtime import POLICIES, Flow
from toy import LAYERS, LEARNED, dataset, model_with

CRITERIA = [
    Static(),
    Static(1),
    MaxProbability(0.5),
    MaxProbability(0.6),
    Cobee(0.1, 1),
    Patience(1),
    Lte(0.5),
    Cap(0.4),
]


@dataclass
class Asked:
    encoding: dict
    criterion: object
    gone: bool = False
    answers: list = field(default_factory=list)

    def wanted(self):
        return not self.gone

    def answer(self, scores, exit_layer):
        self.answers.append((scores, exit_layer))


def run(model, rows, policy, seed=0, max_tokens=60):
    """Let rows enter a few at a time between layers; gives the flow."""
    rng, waiting = np.random.default_rng(seed), list(rows)
    with model.running() as stages:
        flow = Flow(stages, POLICIES[policy], max_tokens)
        while waiting or flow.groups:
            if waiting and flow.room:
                number = int(rng.integers(1, 5))
                flow.enter(waiting[:number])
                del waiting[:number]
            if flow.groups:
                flow.step()
    return flow


@pytest.mark.parametrize(
    ("exits", "first"), [(LINEAR, 1), (LEARNED, 1), (LEARNED, 0)], ids=["linear", "learned", "embeddings"]
)
@pytest.mark.parametrize("policy", POLICIES)
def test_answers_are_those_of_texts_alone(policy, exits, first):
    model = model_with(exits, exit_layers=[*range(first, LAYERS + 1)]).eval()
    rows = [Asked(one, CRITERIA[n % len(CRITERIA)]) for n, one in enumerate(dataset(70).encodings)]
    run(model, rows, policy)
    for row in rows:
        ((scores, layer),) = row.answers
        alone = model.decide([row.encoding], row.criterion)
        assert layer == alone.exit_layers[0]
        np.testing.assert_allclose(scores, alone.scores[0], atol=1e-5)
    assert {row.answers[0][1] for row in rows} == set(range(first, LAYERS + 1))


def test_rows_of_one_depth_merge_where_they_meet():
    model = model_with(LINEAR).eval()
    rows = [Asked(one, Static()) for one in dataset(8).encodings]
    with model.running() as stages:
        flow = Flow(stages, POLICIES["refill"], 10_000)
        flow.enter(rows[:3])
        flow.step()
        flow.enter(rows[3:])
        assert flow.step() == 5
        assert [(group.depth, len(group.rows)) for group in flow.groups] == [(1, 8)]
        small = Flow(stages, POLICIES["queues"], 1)
        small.enter(rows[:1])
        small.step()
        small.enter(rows[1:2])
        small.groups.reverse()
        small.policy = POLICIES["refill"]
        small.step()
        assert len(small.groups) == 2, "two rows are more than fits into a batch"


def test_a_row_of_which_nobody_waits_runs_no_further():
    model = model_with(LINEAR).eval()
    rows = [Asked(one, Static()) for one in dataset(4).encodings]
    with model.running() as stages:
        flow = Flow(stages)
        flow.enter(rows)
        assert flow.step() == 4
        rows[1].gone = rows[3].gone = True
        assert flow.step() == 2
        rows[0].gone = rows[2].gone = True
        assert flow.step() == 0
        assert not flow.groups
    assert not any(row.answers for row in rows)


def test_whole_batches_let_nobody_in():
    flow = Flow(None, POLICIES["whole"])
    assert flow.room
    model = model_with(LINEAR).eval()
    with model.running() as stages:
        flow = Flow(stages, POLICIES["whole"])
        flow.enter([Asked(one, Static()) for one in dataset(4).encodings])
        assert not flow.room
