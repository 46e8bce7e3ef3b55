"""What exits cost: the table, the expectation over a supernet's candidates, and a search that minds it."""

import json
from itertools import product

import pytest
import torch

from leco import LecoError
from leco.exits.architecture import ACTIVATIONS, EDGES, ENCODERS, MHA, POOLERS, Architecture
from leco.exits.space import SPACES, SearchSpace
from leco.search.costs import DEFAULT, OperationCosts, costs_for
from leco.search.options import SearchOptions
from leco.search.relaxations import RELAXATIONS
from toy import searcher

COSTS = OperationCosts.load(DEFAULT)
SMALL = SearchSpace(("relu", "null"), ("conv_3", "mha_8", "null"), ("skip-connect", "mha_2"), ("cls", "sa"), ("tanh",))


def test_the_package_has_costs_of_all_operations():
    known = COSTS.operations
    assert known["encoder"].keys() == {*ENCODERS}
    assert known["pooler"].keys() == {*POOLERS}
    assert known["activation_1"].keys() == known["activation_2"].keys() == {*ACTIVATIONS}
    assert all(COSTS.knows(space) for space in SPACES.values())
    assert COSTS.layer.keys() == {"float32", "int8"}
    for length in COSTS.lengths:
        assert COSTS.of("encoder_1", "mha_8", length) > COSTS.of("encoder_2", "conv_1", length)
        assert COSTS.of_exit(MHA, length) == pytest.approx(1, abs=0.5)  # the unit, but narrower


def test_the_expected_cost_is_the_mean_over_all_exits():
    torch.manual_seed(0)
    weights = {edge: torch.rand(2, len(SMALL.operations(edge)), dtype=torch.float64) + 0.1 for edge in EDGES}
    for length in (5, 16, 20, 100, 500):
        found = COSTS.expected(weights, SMALL, length)
        for layer in range(2):
            mean = 0.0
            for chosen in product(*(range(len(SMALL.operations(edge))) for edge in EDGES)):
                share, cost = 1.0, at(COSTS.base, length)
                for edge, place in zip(EDGES, chosen, strict=True):
                    share *= float(weights[edge][layer, place] / weights[edge][layer].sum())
                    table = COSTS.operations["encoder" if edge.startswith("encoder") else edge]
                    cost += at(table[SMALL.operations(edge)[place]], length)
                mean += share * cost
            assert float(found[layer]) == pytest.approx(mean)


def at(costs, length):
    """The cost at a length, on straight lines between those that were measured."""
    lengths = COSTS.lengths
    if length <= lengths[0] or length >= lengths[-1]:
        return costs[0 if length <= lengths[0] else -1]
    place = max(index for index, one in enumerate(lengths) if one <= length)
    share = (length - lengths[place]) / (lengths[place + 1] - lengths[place])
    return costs[place] + share * (costs[place + 1] - costs[place])


def test_a_search_without_choice_expects_what_its_exit_costs():
    exit_ = Architecture("relu", "conv_5", "mha_2", "max", "tanh")
    space = SearchSpace(("relu",), ("conv_5",), ("mha_2",), ("max",), ("tanh",))
    found = COSTS.expected({edge: torch.full((3, 1), 0.7) for edge in EDGES}, space, 40)
    assert found.tolist() == pytest.approx([COSTS.of_exit(exit_, 40)] * 3)


@pytest.mark.parametrize("name", RELAXATIONS)
def test_the_penalty_is_in_the_gradient_of_the_alphas_and_leads_to_cheap_exits(name, tmp_path):
    found = {}
    for penalty in (0.0, 1000.0):
        search = searcher(RELAXATIONS[name](), cost_penalty=penalty, search_epochs=3)
        result = search.search(tmp_path / f"{penalty}.pt")
        found[penalty] = sum(COSTS.of_exit(one, search.length) for one in result.architectures)
        costs = result.history.expected_cost
        assert len(costs) == 4
        assert result.history.fits()
    assert costs[-1] < costs[0]
    assert found[1000.0] < found[0.0]


def test_the_penalized_loss_is_the_loss_and_the_costs():
    plain, dear = searcher(), searcher(cost_penalty=2.5)
    loss = torch.tensor(1.0)
    weights = dear.relaxation.weights(dear.model.live_alphas())
    expected = 1 + 2.5 * float(dear.costs.expected(weights, dear.model.space, dear.length).sum().detach())
    assert float(dear._penalized(loss)) == pytest.approx(expected)
    assert float(plain._penalized(loss)) == 1


def broken(change):
    """A table of costs with a change."""
    value = json.loads(DEFAULT.read_text())
    change(value)
    return value


BROKEN = {
    "no table": lambda value: value.clear(),
    "lengths that fall": lambda value: value["lengths"].reverse(),
    "fewer costs": lambda value: value["base"].pop(),
    "fewer costs of an operation": lambda value: value["operations"]["pooler"]["cls"].pop(),
    "no poolers": lambda value: value["operations"].pop("pooler"),
    "a word": lambda value: value["operations"]["pooler"].update(cls=["a", "b", "c", "d"]),
    "no length": lambda value: value.update(lengths=[]),
    "lengths below 1": lambda value: value.update(lengths=[-128, -64, -32, -16]),
    "no time": lambda value: value["seconds"].__setitem__(1, 0),
    "an exit that earns": lambda value: value["base"].__setitem__(0, -5),
    "an operation that earns": lambda value: value["operations"]["encoder"]["mha_8"].__setitem__(3, -0.01),
    "a layer that earns": lambda value: value["layer"]["int8"].__setitem__(3, -0.01),
    "no layer": lambda value: value.update(layer={}),
    "something else": lambda value: value.update(more=1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table(name, tmp_path):
    (tmp_path / "table.json").write_text(json.dumps(broken(BROKEN[name])))
    with pytest.raises(LecoError, match=r"cost_table: '.*table.json' is not as it was written"):
        costs_for(SearchOptions(cost_table=str(tmp_path / "table.json")), SMALL)


def test_a_table_that_lacks_an_operation_is_for_searches_that_do_not_mind_cost(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(json.dumps(broken(lambda value: value["operations"]["encoder"].pop("mha_8"))))
    assert costs_for(SearchOptions(cost_table=str(path)), SMALL) is None
    with pytest.raises(LecoError, match="cost_table: The table of costs has no encoder_1 'mha_8'"):
        costs_for(SearchOptions(cost_table=str(path), cost_penalty=0.1), SMALL)
    search = searcher(cost_table=str(path))
    search.search(tmp_path / "search.pt")
    assert search.history.expected_cost == []
    with pytest.raises(LecoError, match=r"cost_table: .*nothing\.json"):
        costs_for(SearchOptions(cost_table=str(tmp_path / "nothing.json")), SMALL)
