"""The floor that any encoder has to be above: words and bigrams, weighted by TF-IDF, and logistic regression."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from leco.data import Split, TextData, score

PENALTIES = 1.0, 10.0, 100.0
"""Of which the regression's `C` is chosen on dev."""


@dataclass(frozen=True)
class Floor:
    """A way (`leco.bench.Way`) that learns from the training rows of `data` when it is loaded.

    As in a service, its time has all of its work in it, the words of a text included.
    """

    name: str
    data: TextData = field(repr=False)

    def load(self, label_names):
        """The regression that is best on dev; `label_names` are those by which the labels of the data are numbered."""
        assert list(label_names) == list(self.data.output_names)
        fitted = [fit(self.data.train, penalty) for penalty in PENALTIES]
        return FloorRunner(max(fitted, key=lambda one: dev_score(one, self.data)))


@dataclass(frozen=True)
class FloorRunner:
    """A fitted regression, run as `leco.bench` runs a predictor."""

    regression: object

    def encode(self, texts, on_cut):
        """The texts as they are, under the name by whose length the benchmark sorts them."""
        return [{"input_ids": text} for text in in_one(texts)]

    def run(self, encodings, batch_size):
        """The probabilities [N, K], and the share of an encoder's layers [N] that ran: none."""
        starts = range(0, len(encodings), batch_size)
        batches = [[one["input_ids"] for one in encodings[start : start + batch_size]] for start in starts]
        scores = np.concatenate([self.regression.predict_proba(texts) for texts in batches])
        return scores, np.zeros(len(encodings))


def fit(split: Split, penalty):
    """The regression on the rows of a split."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    return make_pipeline(words, LogisticRegression(C=penalty, max_iter=1000)).fit(in_one(split.texts), split.labels)


def dev_score(regression, data: TextData):
    """The task's score on dev."""
    return score(data.metric, data.dev.labels, regression.predict(in_one(data.dev.texts)))


def in_one(texts):
    """Pairs as one text each."""
    return [text if isinstance(text, str) else " ".join(text) for text in texts]
