"""Parameter groups: disjoint, complete, none empty."""

import pytest
import torch
from torch import nn

from leco.training.optimizer import decay_groups


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
        self.exits = nn.ModuleList([nn.Linear(4, 2)])


RATES = {"backbone.": 1e-5, "exits.": 1e-3}


def test_every_parameter_is_in_one_group_with_its_rate_and_decay():
    model = Two()
    groups = decay_groups(dict(model.named_parameters()), RATES, weight_decay=0.1)
    members = [parameter for group in groups for parameter in group["params"]]
    assert {id(p) for p in members} == {id(p) for p in model.parameters()}
    assert len(members) == len(list(model.parameters()))
    assert all(group["params"] for group in groups)
    of = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    assert of[id(model.backbone[0].weight)] == (1e-5, 0.1)
    assert of[id(model.backbone[0].bias)] == of[id(model.backbone[1].weight)] == (1e-5, 0.0)
    assert of[id(model.exits[0].weight)] == (1e-3, 0.1)


def test_frozen_parameters_are_left_out_and_no_group_is_empty():
    model = Two()
    model.backbone.requires_grad_(False)
    groups = decay_groups(dict(model.named_parameters()), RATES, weight_decay=0.1)
    assert [group["lr"] for group in groups] == [1e-3, 1e-3]


@pytest.mark.parametrize("rates", [{"backbone.": 1e-5}, {**RATES, "exits.0": 1.0}])
def test_a_parameter_without_one_rate_is_an_error(rates):
    with pytest.raises(ValueError, match=r"exits.0.weight needs one learning rate"):
        decay_groups(dict(Two().named_parameters()), rates, weight_decay=0.0)


def test_adamw_takes_the_groups():
    groups = decay_groups(dict(Two().named_parameters()), RATES, weight_decay=0.1)
    assert len(torch.optim.AdamW(groups).param_groups) == len(groups) == 4
