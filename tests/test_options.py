"""Options say what they allow, and presets fill them."""

from dataclasses import fields

import pytest

from leco import LecoError
from leco.options import naming
from leco.presets import OPTION_GROUPS, PRESETS, build_options

NAMES = [(group, field.name) for group in OPTION_GROUPS for field in fields(group)]


def test_the_paper_preset_is_the_defaults():
    options = build_options("paper", {})
    assert (options.run, options.training, options.search) == tuple(group() for group in OPTION_GROUPS)
    assert (options.training.lr, options.search.alpha_lr, options.search.search_epochs) == (2e-5, 2e-4, 30)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_hold_options_only_and_what_is_given_comes_before_them(preset):
    options = build_options(preset, {"epochs": 7, "lr": None, "seed": 3})
    assert (options.training.epochs, options.run.seed) == (7, 3)
    assert options.training.lr == build_options(preset, {}).training.lr


def test_no_two_groups_share_a_name():
    assert len({name for _, name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(("group", "name"), NAMES)
def test_each_option_has_help_and_refuses_what_it_is_not(group, name):
    with pytest.raises(LecoError) as error:
        build_options("paper", {name: ["wrong"]})
    assert str(error.value).startswith("--" + name.replace("_", "-")), "the flag is named"
    assert "['wrong']" in str(error.value), "and the value"
    assert group.__dataclass_fields__[name].metadata["help"] in str(error.value), "and what is allowed"


@pytest.mark.parametrize(
    "given",
    [
        {"epochs": 0},
        {"epochs": 1.5},
        {"epochs": True},
        {"lr": 0},
        {"lr": float("nan")},
        {"lr": float("inf")},
        {"warmup": 1.01},
        {"exit_dropout": -0.1},
        {"train_rows": 9},
        {"seed": -1},
        {"bf16": "yes"},
    ],
)
def test_ranges(given):
    name, value = next(iter(given.items()))
    with pytest.raises(LecoError) as error:
        build_options("quick", given)
    assert str(error.value).startswith(f"--{name.replace('_', '-')} must be ")
    assert f", not {value!r}." in str(error.value)


def test_errors_can_name_a_flag():
    with pytest.raises(LecoError, match=r"^--flag: wrong$"), naming("--flag"):
        raise LecoError("wrong")
