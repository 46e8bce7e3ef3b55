"""Architectures as data: round trips, counts of parameters, published sets, errors."""

import json

import pytest

from leco.errors import LecoError
from leco.exits.architecture import (
    EDGES,
    LINEAR,
    MHA,
    PAST_FUTURE,
    Architecture,
    architecture_from_dict,
    load_architectures,
    save_architectures,
)
from leco.exits.modules import build_exit
from leco.exits.published import PUBLISHED, published_architectures
from leco.exits.space import SPACES, SearchSpace

CELL = Architecture("gelu", "conv_3", "skip-connect", "max", "tanh")


def parameters(architecture, hidden_size=768, num_outputs=2):
    return sum(p.numel() for p in build_exit(architecture, hidden_size, num_outputs).parameters())


@pytest.mark.parametrize("architecture", [LINEAR, MHA, PAST_FUTURE, CELL])
def test_json_round_trip(architecture):
    assert architecture_from_dict(json.loads(json.dumps(architecture.to_dict()))) == architecture


def test_a_file_of_architectures_round_trips(tmp_path):
    save_architectures(tmp_path / "a.json", [LINEAR, MHA, CELL])
    assert load_architectures(tmp_path / "a.json", 3) == [LINEAR, MHA, CELL]


def test_counts_of_parameters_are_the_papers():
    assert parameters(MHA) == 65_986  # "66k"
    assert parameters(LINEAR) == 768 * 2 + 2
    assert [parameters(a) for a in PUBLISHED["paper:rte"]] == [
        25_762, 30_882, 28_930, 27_810, 27_810, 32_034, 27_810, 25_730, 25_730, 25_730, 28_898, 28_898,
    ]  # fmt: skip
    assert [parameters(a) for a in PUBLISHED["paper:sst-2"]] == [
        27_778, 28_898, 28_898, 27_778, 29_858, 29_826, 29_954, 24_674, 26_786, 28_898, 27_778, 27_778,
    ]  # fmt: skip


def test_the_space_has_the_size_that_the_paper_counts():
    assert SearchSpace().size(12, encoder_operations=1) == 800**12  # 6.87e+34
    assert SearchSpace().size(12) == 6400**12
    assert SPACES["O1"].size(1) == 8 * 8 * 4
    assert SPACES["O2"].size(1) == 8 * 8
    assert SPACES["mha"].size(1) == 1


def test_published_sets_map_to_other_depths_with_a_warning():
    with pytest.warns(UserWarning, match="published for 12 layers; this backbone has 6"):
        six = published_architectures("paper:rte", 6)
    assert six == list(PUBLISHED["paper:rte"][1::2])
    with pytest.warns(UserWarning):
        assert published_architectures("paper:rte", 24)[:4] == [PUBLISHED["paper:rte"][i] for i in (0, 0, 1, 1)]
    assert published_architectures("paper:sst-2", 12)[0].pooler == "avg"


def test_bad_architectures_say_what_is_wrong(tmp_path):
    good = CELL.to_dict()
    for value, message in [
        ({**good, "encoder_1": "lstm"}, "Unknown encoder operation 'lstm'.*Known: conv_1"),
        ({**good, "colour": 1}, "has no field 'colour'"),
        ({k: v for k, v in good.items() if k != "pooler"}, "lacks the field 'pooler'"),
        ({**good, "kind": "tree"}, "Unknown exit kind 'tree'"),
        ({**good, "width": 0}, "positive whole number, not 0"),
        ({**good, "encoder_1": "null", "encoder_2": "null"}, "Both encoder operations are 'null'"),
        ("gelu", "is a JSON object with a 'kind'"),
    ]:
        with pytest.raises(LecoError, match=message):
            architecture_from_dict(value)
    path = tmp_path / "a.json"
    save_architectures(path, [CELL] * 3)
    with pytest.raises(LecoError, match="holds 3 exit architectures, but the backbone has 6 layers"):
        load_architectures(path, 6)
    path.write_text(json.dumps([good, {**good, "pooler": "lstm"}]))
    with pytest.raises(LecoError, match="layer 2: Unknown pooler 'lstm'"):
        load_architectures(path, 2)
    path.write_text("{")
    with pytest.raises(LecoError, match="not valid JSON"):
        load_architectures(path, 2)


def test_spaces_reject_what_makes_no_sense():
    with pytest.raises(LecoError, match="pooler must name at least one"):
        SearchSpace(pooler=())
    with pytest.raises(LecoError, match="none twice"):
        SearchSpace(pooler=("cls", "cls_pool"))
    with pytest.raises(LecoError, match="allow 'null' alone"):
        SearchSpace(encoder_1=("null",), encoder_2=("null",))
    assert list(EDGES) == ["activation_1", "encoder_1", "encoder_2", "pooler", "activation_2"]
