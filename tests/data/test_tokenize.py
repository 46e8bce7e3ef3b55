"""Tokens and padded batches, with a real tokenizer."""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from leco.data import TextDataset, collate, encode, minilm_folder


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(minilm_folder())


def test_single_texts_and_pairs_keep_their_order(tokenizer: PreTrainedTokenizerBase) -> None:
    texts = ["a film", ("who is it", "nobody"), "good", ("yes", "no")]
    encodings = encode(tokenizer, texts, 64)
    for text, encoding in zip(texts, encodings, strict=True):
        alone = tokenizer(*text) if isinstance(text, tuple) else tokenizer(text)
        assert encoding == dict(alone)
    assert 1 in encodings[1]["token_type_ids"]
    assert encode(tokenizer, [], 64) == []


def test_truncation_is_counted_in_one_line(tokenizer: PreTrainedTokenizerBase) -> None:
    lines: list[str] = []
    texts = ["good " * 50, "good", ("bad " * 40, "so it goes"), "good " * 6]
    encodings = encode(tokenizer, texts, 8, lines.append)
    assert [len(encoding["input_ids"]) for encoding in encodings] == [8, 3, 8, 8]
    assert encodings[0]["input_ids"][-1] == tokenizer.sep_token_id
    assert lines == ["2 of 4 texts are longer than 8 tokens and are truncated (--max-length)."]
    encode(tokenizer, texts, 100, lines.append)
    assert len(lines) == 1


@pytest.mark.parametrize(("multiple", "length"), [(1, 5), (8, 8)])
def test_collate_pads_at_the_right(tokenizer: PreTrainedTokenizerBase, multiple: int, length: int) -> None:
    encodings = encode(tokenizer, ["good", "a good film"], 64)
    batch = collate(tokenizer, encodings, multiple)
    assert batch["input_ids"].shape == (2, length)
    assert batch["input_ids"].dtype == torch.int64
    assert batch["attention_mask"].sum(-1).tolist() == [3, 5]
    assert (batch["input_ids"][0, 3:] == tokenizer.pad_token_id).all()
    assert "labels" not in batch


@pytest.mark.parametrize("labels", [np.array([1, 0]), np.array([0.5, 2], np.float32), np.eye(2, dtype=np.float32)])
def test_collate_keeps_the_type_of_the_labels(tokenizer: PreTrainedTokenizerBase, labels: np.ndarray) -> None:
    dataset = TextDataset(encode(tokenizer, ["good", "bad"], 64), labels)
    batch = collate(tokenizer, [dataset[0], dataset[1]])
    assert torch.equal(batch["labels"], torch.from_numpy(labels))
    assert batch["labels"].dtype == torch.from_numpy(labels).dtype
