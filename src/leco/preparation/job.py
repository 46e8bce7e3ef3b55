"""What a run is about: everything that can be checked at once, and the folder for what comes of it."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from leco.data import DataSource, Split, TextData, TextDataset, encode
from leco.devices import picked_bf16
from leco.files import check_path
from leco.folders import Hold, holding
from leco.preparation.encoder import Encoder, read_encoder
from leco.preparation.labels import check_labels, learned_problem
from leco.preparation.methods import Methods, parse_methods
from leco.preparation.texts import check_criterion, read_texts
from leco.presets import Options
from leco.problems import Problem
from leco.processes import alike, on_first, together
from leco.progress import say
from leco.run_folder import check_folder, claim_for_all, fingerprint


@dataclass(frozen=True)
class Job:
    """An encoder, a data set, settings and what they name, and the folder for everything that comes of it.

    `options` are the settings, `methods` the objects that they name, and `hold` keeps others out of the `folder`.
    """

    encoder: Encoder
    data: TextData
    options: Options
    methods: Methods
    folder: Path
    hold: Hold

    @property
    def work(self) -> Path:
        """Where steps keep what they need to continue; removed when they are done."""
        return self.folder / "work"

    @cached_property
    def tokenized(self) -> TextData:
        """The data with the tokens of all splits, made once. One line counts the texts that are too long and cut."""
        splits = self.data.train, self.data.dev, self.data.test
        length = min(self.options.run.max_length, self.encoder.max_length)
        texts = [text for split in splits for text in split.texts]
        encodings = iter(encode(self.encoder.tokenizer, texts, length, log=say))
        train, dev, test = (replace(split, encodings=list(islice(encodings, len(split)))) for split in splits)
        return replace(self.data, train=train, dev=dev, test=test)

    @cached_property
    def problem(self) -> Problem:
        """The kind of problem, with the statistics of the training rows' labels."""
        return learned_problem(self.data, self.options.run)

    def dataset(self, name: str) -> TextDataset:
        """The rows of the split of that name, for training."""
        split: Split = getattr(self.tokenized, name)
        assert split.encodings is not None
        return TextDataset(split.encodings, split.labels)


@contextmanager
def open_job(
    model: str, data: DataSource, output: str | Path, options: Options, groups: Sequence[str]
) -> Iterator[Job]:
    """Check everything that can be checked at once, read the data, and then claim and hold the output folder.

    `model`, `data` and `output` are those of `leco.fit`. LecoError for what the user can repair. The settings in the
    `groups` of `options` make the run what it is. Of several processes all do so, and end together.
    """
    check_path(model, "model")
    check_path(output, "output")
    folder = Path(output)
    methods = parse_methods(options)
    with together(methods.device) as device, ExitStack() as stack:
        on_first(partial(check_folder, folder))
        with alike():
            encoder = read_encoder(str(model), methods, options.run.layers)
            texts = read_texts(data, options)
            check_labels(texts, options.run)
            if "choice" in groups:
                check_criterion(methods, encoder, texts)
            hold = stack.enter_context(holding(folder))
        claim_for_all(folder, identity(encoder, texts, methods, options.identity(groups)))
        run = replace(options.run, bf16=picked_bf16(options.run.bf16, device), device=str(device))
        yield Job(encoder, texts, replace(options, run=run), replace(methods, device=device), folder, hold)


def identity(encoder: Encoder, texts: TextData, methods: Methods, settings: dict[str, Any]) -> dict[str, Any]:
    """What makes a run what it is: encoder, data, exits, and these settings; of files what is in them."""
    about = {"model": encoder.name, "data": texts.name, "data_hash": fingerprint(texts)}
    files: dict[str, Any] = {"exits": methods.exits}
    if Path(methods.exits).is_file():
        files["architectures"] = [architecture.to_dict() for architecture in encoder.architectures or ()]
    if (table := settings.get("cost_table")) is not None:
        files["costs"] = hashlib.sha256(Path(table).read_bytes()).hexdigest()[:16]
    return {**about, **settings, **files}
