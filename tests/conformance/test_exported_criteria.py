"""Every criterion that a model can use, in a file: the graph leaves where the criterion says, on chains and loops."""

import numpy as np
import pytest
from transformers import AutoConfig

from criteria.cases import ON_PROBLEMS, variants
from leco.criteria import CRITERIA, Static, simulate
from leco.evaluation import applicable_criteria
from leco.export import ModelWriter, export_onnx
from leco.export.choice import exit_outputs
from leco.export.criteria import WRITERS
from leco.problems import PROBLEMS, REGRESSION
from leco.runtime import Session
from tiny import TINY, encoder, sentences, text_model

TEXTS = [*sentences(40), "", ("", ""), ("a film", ""), "good " * 200]
DEPLOYABLE = [(name, problem) for name, problem in ON_PROBLEMS if CRITERIA[name].deployable]
BATCHES = (1, 7, 64)
MOST = 4
"""Settings of a criterion that are tried."""


def chain(tokenizer):
    """Layers with weights of their own, one after the other."""
    return text_model(tokenizer, layers=5).backbone


def loop(tokenizer):
    """Layers that share their weights."""
    size = {"vocab_size": len(tokenizer), "num_hidden_layers": 5, "max_position_embeddings": 42, "pad_token_id": 0}
    return encoder(AutoConfig.for_model("albert", **{**TINY, **size, "embedding_size": 8}), "eager")


@pytest.fixture(scope="module", params=[chain, loop])
def models(request, tokenizer):
    """A model of each kind of problem."""
    return {
        problem: text_model(
            tokenizer,
            request.param(tokenizer),
            layers=5,
            outputs=1 if problem == REGRESSION else 3,
            problem_type=problem,
            max_tokens=40,
        )
        for problem in PROBLEMS
    }


def telling(name, task, scores, observed):
    """The settings by which texts leave at the most layers, a few of each variant of the criterion."""

    def spread(criterion):
        return len(set(simulate(criterion, scores, task, observed).tolist()))

    of_each = zip(*map(variants, CRITERIA[name].sweep(task)), strict=True)
    return [one for some in of_each for one in sorted(some, key=spread, reverse=True)[:MOST]]


def test_a_file_can_hold_each_criterion_that_a_model_can_use(models):
    for model in models.values():
        assert {CRITERIA[name] for name in applicable_criteria(model)} <= set(WRITERS)
    assert {name for name, _ in DEPLOYABLE} == {criterion.name for criterion in WRITERS}


@pytest.mark.parametrize(("name", "problem"), DEPLOYABLE)
def test_it_answers_as_the_model(models, tmp_path, name, problem):
    model = models[problem]
    encodings = model.encode(TEXTS)
    tried = telling(name, model.task, *model.exit_outputs(encodings))
    export_onnx(model, tmp_path / "model.onnx", criterion=tried[0])
    session = Session(tmp_path / "model.onnx", threads=1)
    assert session.criterion == tried[0]
    layers = set()
    for number, criterion in enumerate(tried):
        expected = model.decide(encodings, criterion)
        for batch_size in (7,) if number else BATCHES:
            found = session.decide(session.encode(TEXTS), criterion, batch_size=batch_size)
            assert found.exit_layers.tolist() == expected.exit_layers.tolist(), str(criterion)
            np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5, rtol=1e-4)
        layers.add(tuple(expected.exit_layers.tolist()))
    assert len(layers) > 1, "settings make a difference"
    assert max(len(set(some)) for some in layers) > 1 or isinstance(tried[0], Static), "texts leave at several layers"


@pytest.mark.parametrize(("name", "problem"), DEPLOYABLE)
def test_in_int8_it_leaves_where_its_own_exits_say(models, tmp_path, name, problem):
    model = models[problem]
    encodings = model.encode(TEXTS[:12])
    scores, observed = exit_outputs(ModelWriter(model, int8=True).all_exits(), model, encodings, lambda rows: None)
    chosen = telling(name, model.task, scores, observed)[0]
    export_onnx(model, tmp_path / "model.onnx", criterion=chosen, int8=True)
    found = Session(tmp_path / "model.onnx", threads=1).decide(encodings)
    layers = simulate(chosen, scores, model.task, observed)
    assert found.exit_layers.tolist() == layers.tolist()
    np.testing.assert_allclose(found.scores, scores[layers - 1, np.arange(len(layers))], atol=1e-4)
