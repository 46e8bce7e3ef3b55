"""What is special to some families of encoders."""

import pytest
import torch
from transformers import AutoConfig, AutoModel

from leco.errors import LecoError
from leco.model.backbones import BACKBONES, backbone_for
from tiny import TINY


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


def test_unknown_family_lists_the_known_ones():
    with pytest.raises(LecoError, match=r"Unknown backbone family 'gpt2'\. Known: albert, bert, .*xlm-roberta\."):
        backbone_for(AutoConfig.for_model("gpt2"))
