"""Tokens and padded batches, with a real tokenizer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, BertweetTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from leco.data import TextDataset, collate, encode, minilm_folder, without_limits
from tiny import sentences


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
    assert lines == ["2 of 4 texts are longer than 8 tokens and are truncated (max_length)."]
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


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["a", "film", "of", "which", "nobody", "would", "say"]
BEGIN, END = ("[CLS]", 2), ("[SEP]", 3)
PROCESSORS = {
    "bert": processors.BertProcessing(END, BEGIN),
    "roberta": processors.RobertaProcessing(END, BEGIN),
    "template": processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [BEGIN, END]),
    "no special tokens": processors.TemplateProcessing("$A", "$A $B:1", []),
    "second text first": processors.TemplateProcessing("[CLS] $A", "$B:1 [SEP]:1 [CLS] $A", [BEGIN, END]),
}


def of_words(processor, side="right"):
    """A tokenizer of whole words with the special tokens of a family; it truncates by itself, as some files say."""
    backend = Tokenizer(models.WordLevel({word: index for index, word in enumerate(SPECIAL + WORDS)}, "[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processor
    backend.enable_truncation(5)
    backend.enable_padding(length=9)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=backend, truncation_side=side, **names)


def cut_by_itself(tokenizer, text, length):
    """What the tokenizer makes of a text or a pair when it is told to truncate."""
    columns = [[part] for part in (text if isinstance(text, tuple) else (text,))]
    return {key: rows[0] for key, rows in tokenizer(*columns, truncation=True, max_length=length).items()}


TOKENIZERS = {(name, side): of_words(made, side) for name, made in PROCESSORS.items() for side in ("left", "right")}
SENTENCES = st.lists(st.sampled_from([*WORDS, "[SEP]", "unknown"]), max_size=9).map(" ".join)


@pytest.mark.parametrize("chosen", TOKENIZERS, ids=str)
@given(text=SENTENCES | st.tuples(SENTENCES, SENTENCES), length=st.integers(4, 14))
def test_texts_are_cut_as_the_tokenizer_itself_would_cut_them(chosen, text, length):
    tokenizer = TOKENIZERS[chosen]
    (encoding,) = encode(tokenizer, [text], length, lambda line: None)
    assert encoding == cut_by_itself(tokenizer, text, length)


@pytest.mark.parametrize("length", [4, 5, 6, 9, 16, 33])
def test_real_texts_are_cut_as_the_tokenizer_itself_would_cut_them(tokenizer, length):
    texts = [*sentences(60), ("a [SEP] b " * 9, "x"), "[CLS]" * 40, "\U0001f600\u4e2d\u200b " * 20]
    for text, encoding in zip(texts, encode(tokenizer, texts, length, lambda line: None), strict=True):
        assert encoding == cut_by_itself(tokenizer, text, length)


def test_a_tokenizer_written_in_python(tmp_path):
    """Whose tokens do not say of which text they are."""
    (tmp_path / "vocab.txt").write_text("\n".join(f"{word} 1" for word in WORDS))
    (tmp_path / "bpe.codes").write_text("#version: 0.2\n")
    slow = without_limits(BertweetTokenizer(str(tmp_path / "vocab.txt"), str(tmp_path / "bpe.codes")))
    assert not slow.is_fast
    texts = ["a film of which", ("a film of which nobody", "a film"), "a"]
    for text, encoding in zip(texts, encode(slow, texts, 8, lambda line: None), strict=True):
        assert encoding == cut_by_itself(slow, text, 8)


def test_a_tokenizer_is_not_switched_between_calls():
    """Threads share it: what one switched, another would meet."""
    tokenizer = without_limits(of_words(PROCESSORS["bert"]))
    assert (tokenizer.backend_tokenizer.truncation, tokenizer.backend_tokenizer.padding) == (None, None)
    encode(tokenizer, ["a film " * 9, ("a film", "of which " * 9)], 6, lambda line: None)
    assert (tokenizer.backend_tokenizer.truncation, tokenizer.backend_tokenizer.padding) == (None, None)
