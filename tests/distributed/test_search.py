"""Two processes that search together, over gloo, find what one process finds, but for rounding."""

import pytest
import torch

from distributed.pair import assert_nearly, run_pair, without_dropout
from leco.processes import together
from leco.search.relaxations import RELAXATIONS
from toy import searcher

KINDS = {
    **{name: {"relaxation": kind()} for name, kind in RELAXATIONS.items()},
    "second-order": {"second_order": True, "search_warmup": 1},
    "penalized": {"entropy_penalty": 0.1, "cost_penalty": 0.1},
}


def search(kind, path, epochs=2):
    """A search without dropout, and what it found."""
    ours = searcher(search_epochs=epochs, **KINDS[kind])
    without_dropout(ours.model)
    return ours, ours.search(path)


def search_all(folder):
    """What one of two processes does."""
    with together(torch.device("cpu")):
        rank = torch.distributed.get_rank()
        for kind in KINDS:
            ours, found = search(kind, folder / f"{kind}.pt")
            torch.save(
                {"model": ours.model.state_dict(), "history": found.history.to_dict()}, folder / f"{kind}-{rank}"
            )


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The folder with what both processes left, by kind of search."""
    folder = tmp_path_factory.mktemp("pair")
    codes, printed = run_pair(folder, search_all, folder)
    assert codes == [0, 0], printed
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_find_what_one_finds(kind, pair, tmp_path):
    """Weights, alphas and history, also where candidates and channels are drawn: by the first for both."""
    first, second = (torch.load(pair / f"{kind}-{rank}", weights_only=True) for rank in range(2))
    alone, found = search(kind, tmp_path / "alone.pt")
    assert all(torch.equal(value, second["model"][name]) for name, value in first["model"].items())
    assert_nearly(first["model"], alone.model.state_dict())
    for key in ("train_loss", "alpha_loss"):
        assert first["history"][key] == second["history"][key]
        assert first["history"][key] == pytest.approx(getattr(found.history, key), abs=1e-4)


def test_a_search_goes_on_in_another_number_of_processes(pair, tmp_path):
    """What two processes left after their last epoch is what one goes on with."""
    path = tmp_path / "search.pt"
    path.write_bytes((pair / "darts.pt").read_bytes())
    ours, found = search("darts", path, epochs=3)
    alone, expected = search("darts", tmp_path / "alone.pt", epochs=3)
    assert len(found.history.train_loss) == 3
    assert_nearly(ours.model.state_dict(), alone.model.state_dict())
    assert found.architectures == expected.architectures
