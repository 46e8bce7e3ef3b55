"""What tells models apart, whatever they are called."""

import hashlib
from pathlib import Path

from leco.loading import is_file

CONTENT = (
    "config.json", "*.safetensors", "*.bin", "*.index.json", "tokenizer*", "vocab*", "merges.txt", "bpe.codes",
    "dict.txt", "word_*.json", "special_tokens_map.json", "added_tokens.json", "*.model",
)  # fmt: skip
"""The files of a model folder on which answers depend: of the configuration, the weights, whole or in shards, and the
tokenizer of any family."""
BLOCK = 2**20


def content_files(path: str | Path) -> list[Path]:
    """The files of a model folder, in their order, or the exported file, on which answers depend."""
    if is_file(path):
        return [Path(path)]
    return sorted({file for pattern in CONTENT for file in Path(path).glob(pattern) if file.is_file()})


def fingerprint(path: str | Path) -> str:
    """A short hash of all in a model folder, or in an exported file, on which answers depend."""
    if is_file(path):
        return _hash(Path(path))[:16]
    parts = "".join(f"{file.name} {_hash(file)}\n" for file in content_files(path))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def _hash(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()
