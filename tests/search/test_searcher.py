"""The search: which parameters each step moves, what it computes, and that it continues where it was killed."""

import pytest
import torch

from leco.errors import LecoError
from leco.exits.architecture import EDGES
from leco.search import searcher as module
from leco.search.history import SearchHistory
from leco.search.options import SearchOptions
from leco.search.relaxations import PDarts
from toy import LAYERS, Killed, searcher


def batch(search):
    return next(iter(search._batches(torch.arange(8).numpy(), 0)))


def test_a_first_order_alpha_step_builds_no_graph_of_the_backbone(monkeypatch):
    search = searcher()
    needs_graph = []
    forward = type(search.model).forward

    def watch(self, hidden, *rest):
        needs_graph.append(hidden.requires_grad)
        return forward(self, hidden, *rest)

    monkeypatch.setattr(type(search.model), "forward", watch)
    search.alpha_step(batch(search), batch(search))
    search.weight_step(batch(search))
    assert needs_graph == [False, True]


def test_the_first_order_step_is_the_gradient_through_everything():
    search = searcher()
    search.model.eval()
    given = batch(search)
    loss = search._loss(given)
    expected = torch.autograd.grad(loss, search.alphas)
    found = torch.autograd.grad(search._loss(given, backbone_gradients=False), search.alphas)
    for ours, full in zip(found, expected):
        torch.testing.assert_close(ours, full)


def test_each_epoch_splits_the_rows_anew_into_two_halves():
    search = searcher()
    halves = [search._halves(epoch) for epoch in range(3)]
    for first, second in halves:
        assert len(first) == len(second) == 32
        assert not set(first) & set(second)
    assert len({tuple(sorted(first)) for first, _ in halves}) == 3


def test_alphas_wait_for_the_weights_to_warm_up(monkeypatch, tmp_path):
    search = searcher(search_epochs=2, search_warmup=1)
    alphas = [alpha.detach().clone() for alpha in search.alphas]
    seen = []
    step = search.weight_step

    def noted(batch):
        seen.append(len(batch["labels"]))
        return step(batch)

    monkeypatch.setattr(search, "weight_step", noted)
    search.run_epoch(0)
    assert sum(seen) == 64  # all rows, not half of them
    assert all(torch.equal(alpha, before) for alpha, before in zip(search.alphas, alphas))
    search.run_epoch(1)
    assert not any(torch.equal(alpha, before) for alpha, before in zip(search.alphas, alphas))
    assert search.history.alpha_loss[0] is None
    search.history.save(tmp_path / "history.json")
    assert SearchHistory.load(tmp_path / "history.json") == search.history
    with pytest.raises(LecoError, match="search_warmup must be less than search_epochs 2, not 2"):
        SearchOptions(search_epochs=2, search_warmup=2)


@pytest.mark.parametrize(("epochs", "warmup"), [(2, 1), (3, 1), (4, 2), (6, 4)])
def test_no_candidate_is_dropped_before_the_alphas_have_moved(monkeypatch, epochs, warmup):
    search = searcher(PDarts(), search_epochs=epochs, search_warmup=warmup)
    steps, counts = [], []
    step, drop = search.alpha_step, search.model.drop

    def stepping(*batches):
        steps.append(batches)
        return step(*batches)

    def dropping(kept):
        drop(kept)
        counts.append(
            (len(steps) > 0, {edge: int(search.model.get_buffer(f"alive_{edge}")[0].sum()) for edge in EDGES})
        )

    monkeypatch.setattr(search, "alpha_step", stepping)
    monkeypatch.setattr(search.model, "drop", dropping)
    for epoch in range(epochs):
        search.run_epoch(epoch)
    all_of_them = {edge: len(search.model.space.operations(edge)) for edge in EDGES}
    assert [found for moved, found in counts if not moved] == [all_of_them] * (warmup + 1)
    fewer = [found["encoder_1"] for moved, found in counts if moved]
    assert fewer == [PDarts().kept(8, epoch / (epochs - warmup)) for epoch in range(1, epochs - warmup)]


def test_all_parameters_are_trained_by_exactly_one_optimizer():
    search = searcher()
    groups = [*search.weight_optimizer.param_groups, *search.alpha_optimizer.param_groups]
    members = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(members) == sorted(id(parameter) for parameter in search.model.parameters())
    assert all(group["params"] for group in groups)


def test_a_search_learns_and_records_its_way(tmp_path):
    result = searcher(search_epochs=6).search(tmp_path / "search.pt")
    assert len(result.architectures) == LAYERS
    assert len(result.history.weights) == 7
    assert result.history.train_loss[-1] < result.history.train_loss[0]
    assert result.history.alpha_loss[-1] < 0.5  # log 2 is 0.69
    for edge in EDGES:
        for row in result.history.weights[-1][edge]:
            assert sum(row) == pytest.approx(1, abs=1e-4)
    result.history.save(tmp_path / "history.json")
    assert SearchHistory.load(tmp_path / "history.json") == result.history
    result.history.draw(tmp_path / "history.png")
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("killed_at", ["step", "store"])
def test_a_killed_search_ends_as_one_that_was_not(tmp_path, monkeypatch, killed_at):
    whole = searcher()
    expected = whole.search(tmp_path / "whole.pt")

    def die(*_, **__):
        raise Killed

    broken = searcher()
    path = tmp_path / "broken.pt"
    run_epoch = broken.run_epoch

    def run_first_epoch_only(epoch):
        if epoch == 1:
            if killed_at == "step":
                monkeypatch.setattr(broken, "weight_step", die)
            else:
                monkeypatch.setattr(module.torch, "save", die)
        run_epoch(epoch)

    monkeypatch.setattr(broken, "run_epoch", run_first_epoch_only)
    with pytest.raises(Killed):
        broken.search(path)
    monkeypatch.undo()
    resumed = searcher()
    torch.manual_seed(999)  # whatever ran before must not matter
    found = resumed.search(path)
    assert found.architectures == expected.architectures
    assert found.history.weights == expected.history.weights
    for (name, ours), theirs in zip(resumed.model.state_dict().items(), whole.model.state_dict().values()):
        assert torch.equal(ours, theirs), name
