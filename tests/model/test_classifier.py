"""Plain classifiers of Transformers: what they say is what Transformers makes of their logits."""

import pytest
import torch
from transformers import AutoConfig, BertForSequenceClassification

from leco import LecoError
from leco.data import collate, encode
from leco.model.classifier import PlainClassifier
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from tiny import TINY, randomize, sentences


def classifier(tokenizer, outputs, problem_type):
    sizes = {**TINY, "vocab_size": len(tokenizer), "max_position_embeddings": 40}
    config = AutoConfig.for_model("bert", **sizes, num_labels=outputs, problem_type=problem_type)
    model = BertForSequenceClassification(config)
    randomize(model)
    return PlainClassifier(model, tokenizer)


@pytest.mark.parametrize(
    ("outputs", "problem_type", "kind", "activation"),
    [
        (3, None, SINGLE_LABEL, lambda logits: logits.softmax(-1)),
        (1, None, REGRESSION, lambda logits: logits),
        (1, REGRESSION, REGRESSION, lambda logits: logits),
        (1, MULTI_LABEL, MULTI_LABEL, torch.sigmoid),
        (3, MULTI_LABEL, MULTI_LABEL, torch.sigmoid),
    ],
)
def test_one_output_of_no_named_kind_is_a_value(tokenizer, outputs, problem_type, kind, activation):
    plain, texts = classifier(tokenizer, outputs, problem_type), sentences(5)
    assert plain.problem_type == kind
    encodings = encode(tokenizer, texts, plain.max_length, print)
    with torch.no_grad():
        logits = torch.cat([plain.model(**collate(tokenizer, [encoding])).logits for encoding in encodings])
    found = torch.tensor([list(answer.scores.values()) for answer in plain.predict(texts, batch_size=2)])
    torch.testing.assert_close(found, activation(logits), rtol=0, atol=1e-5)
    assert len({tuple(row) for row in found.tolist()}) > 1


def test_a_regression_of_several_values_is_refused(tokenizer):
    with pytest.raises(LecoError, match="has 3 outputs, but a regression here has one"):
        classifier(tokenizer, 3, REGRESSION)
