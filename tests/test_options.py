"""Options say what they allow, and presets fill them."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from leco import LecoError
from leco.errors import parameter, parameters_shown
from leco.options import naming, setting_names
from leco.presets import DEFAULTS, FIT, PRESETS, SEARCH, TRAIN, build_options
from leco.settings import SourceOptions, TimingOptions

GROUPS = DEFAULTS.groups(FIT)
NAMES = [(type(group), field.name) for group in GROUPS for field in fields(group)]


def test_the_paper_preset_is_the_defaults():
    options = build_options("paper", {})
    assert replace(options, choice=DEFAULTS.choice, timing=DEFAULTS.timing, preset=None) == DEFAULTS
    assert (options.choice.criterion, options.timing, options.preset) == ("cobee", TimingOptions(), "paper")
    paper = options.run, options.training, options.search
    assert paper == tuple(type(group)() for group in paper)
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
        build_options("paper", {name: [7]})
    assert str(error.value).startswith(f"{name} must be "), "the parameter is named"
    assert re.search(r"not [\[(]7", str(error.value)), "and the value"
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
        {"warmup": 1},
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
    assert str(error.value).startswith(f"{name} must be ")
    assert f", not {value!r}." in str(error.value)


def test_errors_name_parameters_and_the_command_line_says_how_they_are_shown():
    def fail():
        with naming("lr", value=3):
            raise LecoError(f"not with {parameter('exit_lr')}")

    with pytest.raises(LecoError, match=r"^lr '3': not with exit_lr$"):
        fail()
    with parameters_shown(str.upper), pytest.raises(LecoError, match=r"^LR '3': not with EXIT_LR$"):
        fail()
    with pytest.raises(LecoError, match=r"^lr '3'"):
        fail()


def test_none_is_not_given_where_a_setting_cannot_be_none():
    options = build_options("quick", {"timed_texts": None, "repeats": None, "epochs": None})
    assert options.timing == TimingOptions(repeats=3, timed_texts=None)
    assert options.training.epochs == PRESETS["quick"]["epochs"]


def test_seeds_may_be_as_large_as_their_error_says():
    assert build_options("quick", {"seed": 2**32 - 1}).run.seed == 2**32 - 1
    with pytest.raises(LecoError, match=r"^seed must be at most 4294967295"):
        build_options("quick", {"seed": 2**32})


def test_what_users_write_becomes_what_settings_are():
    source = build_options("quick", {"glue_dir": "glue", "text_columns": ["a", "b"]}).source
    assert source == SourceOptions(glue_dir=Path("glue"), text_columns=("a", "b"))
    for wrong in ({"text_columns": [1]}, {"glue_dir": 3}, {"label_column": 3}):
        with pytest.raises(LecoError, match=f"^{next(iter(wrong))} must be "):
            build_options("quick", wrong)


def test_a_group_takes_its_own_settings_alone():
    assert build_options("quick", {}, TRAIN).timing == DEFAULTS.timing
    for names, given in [(TRAIN, "repeats"), (SEARCH, "exits"), (SEARCH, "max_drop")]:
        with pytest.raises(LecoError, match=f"^Unknown option '{given}'"):
            build_options("quick", {given: 1}, names)


def test_a_run_is_what_its_settings_are_wherever_it_runs_and_the_data_lie():
    one, other = ({"device": device, "glue_dir": device, "seed": 3} for device in ("cpu", "cuda"))
    same = build_options("quick", one).identity(FIT)
    assert same == build_options("quick", other).identity(FIT)
    assert same["seed"] == 3
    assert {name for _, name in NAMES} - set(same) == {"device", *setting_names(SourceOptions())}


@pytest.mark.parametrize(("epochs", "warmup"), [(1, 0), (2, 1), (8, 1)])
def test_a_presets_warm_up_leaves_a_short_search_an_epoch(epochs, warmup):
    assert build_options("sampling", {"search_epochs": epochs}).search.search_warmup == warmup


def test_a_warm_up_that_is_given_is_taken_as_it_is():
    with pytest.raises(LecoError, match="search_warmup must be less than search_epochs 2"):
        build_options("sampling", {"search_epochs": 2, "search_warmup": 2})
