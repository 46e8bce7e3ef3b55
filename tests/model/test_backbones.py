"""What is special to some families of encoders."""

import pytest
import torch
from transformers import AutoConfig, AutoModel

from leco.errors import LecoError
from leco.model import load_backbone
from leco.model.backbones import BACKBONES, backbone_for, walk
from tiny import CASES, TINY, encoder, texts


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_sdpa_takes_no_mask_where_nothing_is_padding(family):
    model = AutoModel.from_config(AutoConfig.for_model(family, **TINY), attn_implementation="sdpa")
    mask = torch.ones(1, 4, dtype=torch.long)
    context = backbone_for(model.config).context(model, torch.zeros(1, 4, 16), mask)
    assert context.get("full_attention", context)["attention_mask"] is None


@pytest.mark.parametrize("family", BACKBONES)
def test_max_length_of_published_models(family):
    positions = {"modernbert": 8192, **dict.fromkeys(["camembert", "mpnet", "roberta", "xlm-roberta"], 514)}
    config = AutoConfig.for_model(family, max_position_embeddings=positions.get(family, 512))
    assert backbone_for(config).max_length(config) == (8192 if family == "modernbert" else 512)


@pytest.mark.parametrize("case", CASES)
def test_the_first_layers_alone(case, tmp_path):
    config, attention = case
    whole = encoder(config, attention)
    whole.save_pretrained(tmp_path)
    family, inputs = backbone_for(config), texts(4, 6)
    if config.model_type == "albert" and (config.num_hidden_groups, config.inner_group_num) != (1, 1):
        with pytest.raises(LecoError, match="layers 2: an ALBERT whose layers are in 2 groups"):
            load_backbone(str(tmp_path), layers=2)
        return
    first = load_backbone(str(tmp_path), layers=2).eval()
    assert family.num_layers(first.config) == 2
    with torch.no_grad():
        expected, found = list(walk(whole, inputs)), list(walk(first, inputs))
        if config.model_type == "modernbert":  # the last layer's state is normed
            expected[2] = first.get_submodule("final_norm")(expected[2])
    assert len(found) == 3
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("layers", [0, 4, -1])
def test_no_more_layers_than_there_are(layers, encoder_folder):
    with pytest.raises(LecoError, match=r"layers must be from 1 to 3, the number of layers of '.*', not"):
        load_backbone(str(encoder_folder), layers=layers)


def test_unknown_family_lists_the_known_ones():
    with pytest.raises(LecoError, match=r"Unknown backbone family 'gpt2'\. Known: albert, bert, .*xlm-roberta\."):
        backbone_for(AutoConfig.for_model("gpt2"))
