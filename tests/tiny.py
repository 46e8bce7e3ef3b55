"""Tiny random encoders of every family, multi-exit models on them, and random texts for them."""

from itertools import cycle, islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import MODEL_MAPPING, AutoConfig, AutoModel

from leco.data import collate, encode
from leco.exits.architecture import LINEAR, MHA, Architecture
from leco.exits.operations import ACTIVATIONS, ENCODERS, POOLERS
from leco.model import build_model
from leco.model.backbones import BACKBONES, backbone_for
from leco.problems import REGRESSION, SINGLE_LABEL

PAD = 1
TINY = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
    "pad_token_id": PAD,
}
RELATIVE = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
BUCKETS = {**RELATIVE, "position_buckets": 4, "norm_rel_ebd": "layer_norm", "share_att_key": True}
VARIANTS = {
    "albert": [
        {"embedding_size": 8},
        {"num_hidden_layers": 4, "num_hidden_groups": 2},
        {"num_hidden_groups": 2, "inner_group_num": 2},
    ],
    "deberta": [{"type_vocab_size": 2}, RELATIVE],
    "deberta-v2": [{"type_vocab_size": 2}, BUCKETS, {**BUCKETS, "conv_kernel_size": 3, "conv_act": "gelu"}],
    "electra": [{"embedding_size": 16}, {"embedding_size": 8}],
    "modernbert": [{"local_attention": 4}],
}

WIDTH, LENGTH, PADDED = 16, 5, 9
"""Of an exit, of a text, and of the batch that it is in: for operations, in the fixture `padded`."""

WORDS = "a film of which nobody would say that it is good bad long short dull and so on"
CELL = Architecture("relu", "conv_3", "mha_2", "sa", "null", width=8)
MIXED = (CELL, MHA, LINEAR, Architecture("gelu", "conv_5", "skip-connect", "max", "tanh", width=8))
EVERY_CELL = [
    Architecture("leaky_relu", encoder, "null" if encoder != "null" else "mha_8", pooler, "swish", width=8)
    for encoder in ENCODERS
    for pooler in POOLERS
]
"""Every encoder operation with every pooler."""
EVERY_ACTIVATION = [Architecture(name, "mha_4", "conv_1", "avg", name, width=8) for name in ACTIVATIONS]


def cases():
    """For every family, variant and kind of attention that it has: a tiny configuration and the attention's name."""
    for family in BACKBONES:
        for number, variant in enumerate(VARIANTS.get(family, [{}])):
            config = AutoConfig.for_model(family, **{**TINY, **variant})
            for attention in ["eager", "sdpa"] if MODEL_MAPPING[type(config)]._supports_sdpa else ["eager"]:
                yield pytest.param((config, attention), id=f"{family}-{number}-{attention}")


CASES = list(cases())
FAMILIES = [
    pytest.param(family, variant, id=f"{family}-{number}")
    for family in BACKBONES
    for number, variant in enumerate(VARIANTS.get(family, [{}]))
]
"""Every backbone in each of its kinds, for `family_model`."""


def randomize(module):
    """Random weights everywhere, biases, norms and padding embeddings too, as training would leave them."""
    torch.manual_seed(0)
    for name, parameter in module.named_parameters():
        scale = parameter.dim() == 1 and name.endswith("weight")  # a norm's
        torch.nn.init.normal_(parameter, mean=float(scale), std=0.3)


def encoder(config, attention="sdpa"):
    """A random encoder."""
    model = AutoModel.from_config(config, attn_implementation=attention).eval()
    randomize(model)
    return model


def bert(**settings):
    """A random BERT."""
    return encoder(AutoConfig.for_model("bert", **{**TINY, **settings}))


def multi_exit(backbone, architectures=MIXED, *, outputs=3, problem_type=SINGLE_LABEL, **settings):
    """A random model on `backbone`, whose exits take turns through `architectures`; labels are a, b, c, ..."""
    number = len(settings.get("exit_layers") or range(backbone_for(backbone.config).num_layers(backbone.config)))
    names = ["value"] if problem_type == REGRESSION else list("abcdefgh"[:outputs])
    exits = list(islice(cycle(architectures), number))
    model = build_model(backbone, exits, names, problem_type=problem_type, **settings).eval()
    randomize(model)
    return model


def texts(*lengths):
    """Random texts, padded to the longest."""
    random = torch.Generator().manual_seed(1)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(PAD + 1, TINY["vocab_size"], mask.shape, generator=random)
    types = torch.randint(0, 2, mask.shape, generator=random)
    return {"input_ids": torch.where(mask == 1, ids, PAD), "attention_mask": mask, "token_type_ids": types * mask}


def sentences(number, seed=0):
    """Texts of 0 to 30 words, every third one a pair."""
    random = np.random.default_rng(seed)
    words = WORDS.split()

    def sentence():
        return " ".join(random.choice(words, random.integers(0, 31)))

    return [(sentence(), sentence()) if row % 3 == 2 else sentence() for row in range(number)]


@torch.no_grad()
def spread_answers(model, inputs):
    """Rescale the exits' last layers, so that what they say of `inputs` differs from text to text and exit to exit."""
    logits = model(**inputs).exit_logits
    for leave, seen in zip(model.exits, logits):
        leave.classifier.weight.mul_(1.5 / seen.std(0)[:, None])
        leave.classifier.bias.copy_((leave.classifier.bias - seen.mean(0)) * 1.5 / seen.std(0))


def text_model(tokenizer, backbone=None, *, layers=6, **settings):
    """A random model that reads real texts of at most 40 tokens and answers them differently."""
    backbone = backbone or bert(
        vocab_size=len(tokenizer), num_hidden_layers=layers, max_position_embeddings=40, pad_token_id=0
    )
    model = multi_exit(backbone, **settings)
    model.tokenizer = tokenizer
    spread_answers(model, collate(tokenizer, encode(tokenizer, sentences(40), model.max_length, print)))
    return model


def family_model(tokenizer, family, variant):
    """A random model of two layers on a backbone of a family, as `text_model` makes it."""
    settings = {"num_hidden_layers": 2, "vocab_size": len(tokenizer), "max_position_embeddings": 42, "pad_token_id": 0}
    backbone = encoder(AutoConfig.for_model(family, **{**TINY, **settings, **variant}), "eager")
    return text_model(tokenizer, backbone, max_tokens=40)


def tick_by_layer(model, monkeypatch):
    """Measure speedups in layers in place of seconds: the clock, which is given back, ticks for each that runs."""
    ticks = SimpleNamespace(count=0)

    def tick(*_):
        ticks.count += 1

    family = backbone_for(model.config.backbone_config)
    for index in range(model.num_layers):
        family.block(model.backbone, index).register_forward_hook(tick)
    monkeypatch.setattr("leco.evaluation.speedup.time", SimpleNamespace(perf_counter=lambda: ticks.count))
    return ticks


def assert_same_answers(answers, expected):
    """The same labels, layers and, but for rounding, which differs from processor to processor, scores."""
    assert [answer.label for answer in answers] == [answer.label for answer in expected]
    assert [answer.exit_layer for answer in answers] == [answer.exit_layer for answer in expected]
    scores, others = ([list(answer.scores.values()) for answer in some] for some in (answers, expected))
    np.testing.assert_allclose(scores, others, rtol=1e-5, atol=1e-5)
