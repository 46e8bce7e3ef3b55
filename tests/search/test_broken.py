"""What is broken in a search ends it with one sentence: numbers that are not finite, and its checkpoint."""

import pytest
import torch

from leco import LecoError
from leco.search import relaxations
from leco.search.history import SearchHistory
from toy import searcher

RELAXATIONS = [relaxations.RELAXATIONS[name]() for name in relaxations.RELAXATIONS]


@pytest.mark.parametrize("rate", ["search_lr", "search_exit_lr", "alpha_lr"])
@pytest.mark.parametrize("second_order", [False, True])
def test_a_search_ends_at_the_first_number_that_is_not_finite(tmp_path, rate, second_order):
    with pytest.raises(
        LecoError, match=r"^The search diverged in epoch 1, step 1: the .* is .*\. Give a lower search_lr"
    ):
        searcher(**{rate: 1e30}, second_order=second_order).search(tmp_path / "search.pt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("relaxation", RELAXATIONS, ids=lambda one: one.name)
def test_with_every_relaxation(tmp_path, relaxation):
    with pytest.raises(LecoError, match=r"diverged in epoch 1, step \d+: the weight '"):
        searcher(relaxation, search_exit_lr=1e30).search(tmp_path / "search.pt")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """What a search of one epoch has left."""
    path = tmp_path_factory.mktemp("search") / "search.pt"
    searcher(search_epochs=1).search(path)
    return torch.load(path, weights_only=True)


HARMS = {
    "no state": lambda state: [],
    "no model": lambda state: {name: value for name, value in state.items() if name != "model"},
    "no epochs": lambda state: {name: value for name, value in state.items() if name != "epochs"},
    "too many epochs": lambda state: {**state, "epochs": 10**9},
    "epochs before the first": lambda state: {**state, "epochs": "one"},
    "another model": lambda state: {**state, "model": {"x": torch.ones(1)}},
    "an optimizer of nothing": lambda state: {**state, "weight_optimizer": {"state": {}, "param_groups": []}},
    "another history": lambda state: {**state, "history": {"weights": 1}},
    "a history of other layers": lambda state: {**state, "history": {**state["history"], "weights": []}},
}


@pytest.mark.parametrize("harm", [*HARMS.values(), b"", b"noise", b"PK\x03\x04"], ids=[*HARMS, "empty", "noise", "cut"])
def test_a_broken_checkpoint_is_named_and_what_to_delete(tmp_path, checkpoint, harm):
    path = tmp_path / "search.pt"
    path.write_bytes(harm) if isinstance(harm, bytes) else torch.save(harm(checkpoint), path)
    with pytest.raises(LecoError) as error:
        searcher().search(path)
    assert str(error.value).startswith(f"'{path}' is broken (")
    assert str(error.value).endswith("). Delete it and repeat the command: it begins the search again.")
    assert "\n" not in str(error.value)


def test_a_history_of_another_shape(checkpoint):
    history = checkpoint["history"]
    assert SearchHistory.from_dict(history, "x").to_dict() == history
    for change in (
        {"operations": {}},
        {"weights": []},
        {"weights": history["weights"][:1]},
        {"weights": [{**entry, "pooler": entry["pooler"][1:]} for entry in history["weights"]]},
        {"weights": [{**entry, "pooler": [[0.5]] * 3} for entry in history["weights"]]},
        {"seconds": []},
        {"train_loss": ["x"]},
    ):
        with pytest.raises(LecoError, match=r"^x is not as it was written"):
            SearchHistory.from_dict({**history, **change}, "x")
