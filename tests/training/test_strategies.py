"""What is special to each training strategy: its formula, and its gradient where that is not the formula's."""

from dataclasses import replace
from math import exp, log

import pytest
import torch
from torch.nn import functional as F

from leco.errors import LecoError
from leco.exits.architecture import LINEAR, MHA
from leco.problems import REGRESSION, SINGLE_LABEL
from leco.training.strategies import STRATEGIES, Phase, TrainingStep, parse_strategy
from leco.training.strategies.gaml import align
from leco.training.strategies.gradient_equilibrium import scale_gradient
from toy import LAYERS, LEARNED, batch, loss_of, model_with

MOMENT = TrainingStep(Phase(), epoch=0, step=0)


def cross_entropies(model):
    inputs = batch()
    logits = model(**inputs).exit_logits
    return [F.cross_entropy(one, inputs["labels"]) for one in logits]


def test_losses_against_their_formulas():
    model = model_with(LEARNED).eval()
    ce = cross_entropies(model)
    expected = {
        "joint": sum(ce),
        "gradient-equilibrium": sum(ce),
        "weighted-joint": sum(m * loss for m, loss in enumerate(ce, 1)) / sum(range(1, LAYERS + 1)),
        "alternating": ce[-1],
        "two-stage": ce[-1],
        "self-distillation": ce[-1],
    }
    for name, value in expected.items():
        current = TrainingStep(STRATEGIES[name]().phases(LAYERS)[0], epoch=0, step=1)
        torch.testing.assert_close(loss_of(STRATEGIES[name](), model, current), value)
    second = STRATEGIES["two-stage"]().phases(LAYERS)[1]
    torch.testing.assert_close(loss_of(STRATEGIES["two-stage"](), model, TrainingStep(second, 0, 0)), sum(ce[:-1]))
    (only,) = STRATEGIES["two-stage"](second=False).phases(LAYERS)
    assert only.backbone
    assert only.exits == {LAYERS}


def test_alternating_by_epoch_and_by_step():
    model = model_with(LEARNED).eval()
    ce = cross_entropies(model)
    for text, current, value in [
        ("alternating", TrainingStep(Phase(), epoch=1, step=0), sum(ce)),
        ("alternating", TrainingStep(Phase(), epoch=2, step=1), ce[-1]),
        ("alternating:per_step=true", TrainingStep(Phase(), epoch=1, step=0), ce[-1]),
        ("alternating:per_step=true", TrainingStep(Phase(), epoch=0, step=1), sum(ce)),
    ]:
        torch.testing.assert_close(loss_of(parse_strategy(text), model, current), value)


def test_self_distillation_is_the_divergence_from_the_last_exit_and_needs_no_label():
    model = model_with(LEARNED).eval()
    inputs = batch()
    output = model(**inputs)
    p = output.exit_logits.softmax(-1)
    expected = 0.0
    for m in range(LAYERS - 1):
        for row in range(len(p[m])):
            for k in range(2):
                expected += (p[-1, row, k] * (p[-1, row, k] / p[m, row, k]).log()).item() / len(p[m])
    strategy = STRATEGIES["self-distillation"]()
    current = TrainingStep(strategy.phases(LAYERS)[1], 0, 0)
    assert strategy.loss(model, output, None, current).item() == pytest.approx(expected, rel=1e-4)


def test_scale_gradient_changes_the_gradient_alone():
    x = torch.randn(5, requires_grad=True)
    y = scale_gradient(x, 0.25)
    torch.testing.assert_close(y, x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.full((5,), 0.25))


def test_gradient_equilibrium_scales_each_branch():
    """By hand: the gradient into h_m is g_m / (M-m+1) from its exit plus (M-m)/(M-m+1) times what comes from below."""
    model = model_with(LINEAR).double().eval()
    seen = []
    strategy = STRATEGIES["gradient-equilibrium"]()

    class Recording(torch.nn.Module):
        def __call__(self, fork, **inputs):
            def watch(layer, hidden):
                hidden.retain_grad()
                seen.append(hidden)
                return fork(layer, hidden)

            return model(**inputs, fork=watch)

        config = model.config

    inputs = batch()
    output = strategy.forward(Recording(), inputs, LAYERS)
    strategy.loss(model, output, inputs["labels"], MOMENT).backward()

    states, plain = [], []

    def keep(layer, hidden):
        leaf = hidden.detach().requires_grad_()
        states.append((hidden, leaf))
        plain.append(leaf)
        return leaf, leaf

    logits = model(**inputs, fork=keep).exit_logits
    below = None
    for m in range(LAYERS, 0, -1):
        loss = F.cross_entropy(logits[m - 1], inputs["labels"])
        own = torch.autograd.grad(loss, plain[m - 1], retain_graph=True)[0]
        expected = own / (LAYERS - m + 1)
        if below is not None:
            onward = torch.autograd.grad(states[m][0], plain[m - 1], below, retain_graph=True)[0]
            expected = expected + onward * (LAYERS - m) / (LAYERS - m + 1)
        torch.testing.assert_close(seen[m - 1].grad, expected)
        below = expected


def test_align_removes_only_what_works_against_the_task():
    task = (torch.tensor([1.0, 0.0]), torch.tensor([3.0]))
    against = (torch.tensor([-2.0, 5.0]), torch.tensor([7.0]))
    shared = [True, False]
    found = align(against, task, shared)
    torch.testing.assert_close(found[0], torch.tensor([0.0, 5.0]))
    torch.testing.assert_close(found[1], against[1])
    along = (torch.tensor([2.0, 5.0]), torch.tensor([7.0]))
    for ours, theirs in zip(align(along, task, shared), along):
        assert torch.equal(ours, theirs)


def test_gaml_gives_the_aligned_gradient():
    model = model_with(LEARNED).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    strategy = STRATEGIES["gaml"](weight=5.0)
    loss_of(strategy, model, MOMENT).backward()
    inputs = batch()
    output = model(**inputs)
    named = [(name, parameter) for name, parameter in model.named_parameters() if not name.startswith("meta.")]
    parameters = [parameter for _, parameter in named]
    ce = strategy.exit_losses(model, output, inputs["labels"]).sum()
    mutual = 5.0 * strategy._mutual(output, strategy.problem(model))
    task = torch.autograd.grad(ce, parameters, retain_graph=True)
    other = torch.autograd.grad(mutual, parameters)
    aligned = align(other, task, [name.startswith("backbone.") for name, _ in named])
    for (name, parameter), t, o in zip(named, task, aligned):
        torch.testing.assert_close(parameter.grad, t + o, atol=1e-5, rtol=1e-3, msg=name)


def test_cosee_teaches_most_the_exits_around_the_layer_of_leaving():
    """By loops over texts, thresholds and exits, whose logits are such that texts leave at all layers."""
    model, inputs = model_with(LINEAR).eval(), batch()
    logits = torch.randn(8, LAYERS, 2, generator=torch.Generator().manual_seed(0)) * 2
    output = replace(model(**inputs), logits_by_row=logits)
    strategy, progress = STRATEGIES["cosee"](beta=2.0, thresholds=3, calibration=0.7, margin=0.4), 0.5
    p = output.exit_logits.softmax(-1).tolist()
    expected, layers = 0.0, set()
    for row, label in enumerate(inputs["labels"].tolist()):
        signals = [-sum(x * log(x) for x in p[m][row]) / log(2) for m in range(LAYERS)]
        for tau in (1 / 6, 3 / 6, 5 / 6):
            star = next((m for m in range(LAYERS - 1) if signals[m] < tau), LAYERS - 1)
            layers.add(star)
            near = [exp(-2.0 * progress * abs(m - star)) for m in range(LAYERS)]
            expected -= sum(near[m] / sum(near) * log(p[m][row][label]) for m in range(LAYERS)) / (3 * 8)
        for m, signal in enumerate(signals):
            right = p[m][row][label] > 0.5
            expected += 0.7 * max(0, signal - 0.3 if right else 0.7 - signal) / (LAYERS * 8)
    assert layers == set(range(LAYERS))
    found = strategy.loss(model, output, inputs["labels"], TrainingStep(Phase(), 0, 0, progress))
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_cosee_begins_with_the_mean_of_all_exits():
    model = model_with(LEARNED).eval()
    found = loss_of(parse_strategy("cosee:calibration=0"), model, TrainingStep(Phase(), 0, 0, progress=0.0))
    torch.testing.assert_close(found, sum(cross_entropies(model)) / LAYERS)


def test_consistentee_teaches_a_text_to_the_exit_where_the_policy_leaves():
    """By loops over texts and exits, of all that the exits and the policy learn from."""
    model, inputs = model_with(LINEAR).eval(), batch()
    drawn = torch.Generator().manual_seed(0)
    doubts, logits = torch.rand(8, LAYERS, generator=drawn), torch.randn(8, LAYERS, 2, generator=drawn)
    output = replace(model(**inputs), logits_by_row=logits, doubts_by_row=doubts)
    taught, paid = 0.0, 0.0
    for row, label in enumerate(inputs["labels"].tolist()):
        p, u = logits[row].softmax(-1)[:, label].tolist(), doubts[row].tolist()
        hard, come = sum(one < 0.5 for one in p) / LAYERS, 1.0
        for m in range(LAYERS):
            leaves = come * (1 - u[m]) if m < LAYERS - 1 else come
            come *= u[m]
            taught -= (0.75 * leaves + 0.25 / LAYERS) * log(p[m]) / 8
            paid += leaves * (0.3 * (1 - hard) * (m + 1) / LAYERS - log(p[m])) / 8
    strategy, current = STRATEGIES["consistentee"](cost=0.3), TrainingStep(Phase(), 0, 0, progress=0.75)
    assert strategy.loss(model, output, inputs["labels"], current).item() == pytest.approx(taught, rel=1e-4)
    assert strategy.doubt_loss(model, output, inputs["labels"]).item() == pytest.approx(paid, rel=1e-4)


def test_consistentee_charges_the_layers_that_run():
    model = model_with(LINEAR).eval()
    inputs, strategy = batch(), STRATEGIES["consistentee"](cost=100.0)
    model.keep_exits([1, LAYERS])
    logits = torch.tensor([[5.0, -5.0], [5.0, -5.0]]).expand(8, 2, 2)  # both exits say the same
    paid = []
    for stays in (0.0, 1.0):
        doubts = torch.full((8, 2), stays)
        output = replace(model(**inputs), logits_by_row=logits, doubts_by_row=doubts)
        paid.append(strategy.doubt_loss(model, output, inputs["labels"]).item())
    hard = (inputs["labels"] == 1).float().mean().item()
    assert paid[1] - paid[0] == pytest.approx(100 * (1 - hard) * (LAYERS - 1) / LAYERS, rel=1e-4)


def test_in_consistentee_the_exits_learn_nothing_from_the_policy_and_the_policy_nothing_from_them():
    model, inputs = model_with(LINEAR).eval(), batch()
    strategy, output = STRATEGIES["consistentee"](), model(**inputs)
    loss = strategy.loss(model, output, inputs["labels"], MOMENT)
    policy = strategy.doubt_loss(model, output, inputs["labels"])
    for one, learns in ((loss, "exits."), (policy, "meta.")):
        model.zero_grad()
        one.backward(retain_graph=True)
        moved = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
        assert any(name.startswith(learns) for name in moved)
        assert all(name.startswith("meta.") == (learns == "meta.") for name in moved)


def test_bad_settings_are_named():
    with pytest.raises(LecoError, match=r"Unknown training strategy 'jiont'\. Did you mean 'joint'"):
        parse_strategy("jiont")
    with pytest.raises(LecoError, match="setting of the training strategy 'gaml' 'wieght'"):
        parse_strategy("gaml:wieght=1")
    with pytest.raises(LecoError, match="not SETTING=VALUE"):
        parse_strategy("gaml:weight")


@pytest.mark.parametrize("teacher", ["last", "mean"])
@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, REGRESSION])
def test_taught_exits_learn_from_labels_and_from_the_teacher(teacher, problem_type):
    model = model_with(MHA, problem_type).eval()
    strategy = STRATEGIES["taught-joint"](weight=0.7, teacher=teacher)
    inputs = batch(problem_type=problem_type)
    with torch.no_grad():
        exits = model(**{name: value for name, value in inputs.items() if name != "labels"}).exit_logits
        found = loss_of(strategy, model, MOMENT, inputs)
    taught = exits[-1] if teacher == "last" else sum(exits) / len(exits)
    expected = float(loss_of(STRATEGIES["joint"](), model, MOMENT, inputs).detach())
    for logits in exits:
        for said, by_teacher in zip(logits, taught):
            if problem_type == REGRESSION:
                expected += 0.7 * float((said - by_teacher) ** 2) / len(logits)
            else:
                t, p = by_teacher.softmax(0), said.softmax(0)
                expected += 0.7 * float((t * (t.log() - p.log())).sum()) / len(logits)
    assert float(found) == pytest.approx(expected, rel=1e-5)
