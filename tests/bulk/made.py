"""What the tests of bulk prediction share: parts of texts, and what is said of them."""

import pandas as pd

from leco import bulk, load
from offline import rows

WRITE = {
    "parquet": lambda frame, path: frame.to_parquet(path, index=False),
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True, force_ascii=False),
    "jsonl.gz": lambda frame, path: frame.to_json(path, orient="records", lines=True),
}
READ = {
    "parquet": pd.read_parquet,
    "csv": pd.read_csv,
    "tsv": lambda path: pd.read_csv(path, sep="\t"),
    "jsonl": lambda path: pd.read_json(path, lines=True, dtype=False),
}
NAMES = ("part-0", "y=2024/part-0", "y=2024/m=1/ünï çödé", "b/a[1]*")
"""Of parts: in folders, with equal names, with characters of patterns."""


def predict(model, folder, output, **options):
    """Answers in this process, where nothing is said of others, which take seconds to begin."""
    return bulk.predict(model, folder, output, **{"workers": 1, **options})


def texts(number=30, seed=0):
    """Texts, some of which are not there, empty or too long."""
    found = [text for text, _ in rows(number, seed)]
    found[number // 2], found[number // 3] = None, " "
    found[-1] = "a good film " * 20
    return found


def frame(number=30, seed=0):
    """A table with them, numbered."""
    return pd.DataFrame({"id": range(number), "text": texts(number, seed)})


def write_parts(folder, kind="parquet", names=NAMES, number=30):
    """A folder of parts."""
    for seed, name in enumerate(names):
        path = folder / f"{name}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITE[kind](frame(number, seed), path)
    return folder


def read(path):
    """A part with missing values as None."""
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    found = READ[kind](path)
    return found.astype(object).where(found.notna(), None)


def names_in(folder):
    """The parts below a folder, without what is hidden."""
    below = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in below if not any(step.startswith(("_", ".")) for step in name.split("/")))


def assert_answered(output, folder, model, columns=("id", "text")):
    """Each part of `folder` is in `output` with all its rows, in order, and the answers of `predict`."""
    predictor = load(model)
    assert names_in(output) == names_in(folder)
    for name in names_in(folder):
        given, answered = read(folder / name), read(output / name)
        assert [list(answered[column]) for column in columns] == [list(given[column]) for column in columns], name
        asked = [text for text in given["text"] if text and text.strip()]
        expected = iter(predictor.predict(asked))
        for text, row in zip(given["text"], answered.to_dict("records"), strict=True):
            if not text or not text.strip():
                assert (row["label"], row["score"], row["exit_layer"]) == (None, None, None)
                assert row["reason"] == "text is empty"
                continue
            answer = next(expected)
            assert (row["label"], row["exit_layer"]) == (answer.label, answer.exit_layer)
            assert abs(row["score"] - answer.scores[answer.label]) < 1e-5
            assert row["truncated"] == (len(text.split()) > 22)
