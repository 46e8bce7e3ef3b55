"""A bulk job before its first answer: what is asked, whether it can be done, and what of it is done already."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from leco.bulk.columns import answer_types
from leco.bulk.job import Job, Record, Shape
from leco.bulk.options import JSONL, PARQUET, BulkOptions
from leco.bulk.output import Manifest, Output
from leco.bulk.parts import Part
from leco.bulk.reading import Head, first_rows, read_head
from leco.bulk.source import Source
from leco.calibration import MonitorOptions
from leco.criteria import Criterion, as_criterion
from leco.data.unlabelled import find_text_columns
from leco.data.writers import free_names
from leco.display import listed
from leco.errors import LecoError
from leco.fingerprint import fingerprint
from leco.loading import PredictorSpec
from leco.options import fill
from leco.provenance import check_pair
from leco.runtime import Predictor, watched
from leco.settings import SourceOptions

READERS = 16
"""Heads that are read at a time, since a part that is far away takes a while."""
Log = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What is asked of a bulk job.

    Attributes:
        spec: what loads the predictor.
        inputs: files, folders and patterns, here or at addresses of fsspec.
        output: a folder, or its address.
        criterion: by default the predictor's own.
        options: how parts are answered.
        source: the settings of `SourceOptions` that are given; the others are those of the training.
        monitoring: how answers are watched.

    """

    spec: PredictorSpec
    inputs: Sequence[str]
    output: str
    criterion: Criterion | str | None = None
    options: BulkOptions = field(default_factory=BulkOptions)
    source: Mapping[str, Any] = field(default_factory=dict)
    monitoring: MonitorOptions = field(default_factory=MonitorOptions)


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        job: what each process is told; None where no part can be read.
        pending: the parts that are to be answered.
        rows: how many they have, where that is known.
        records: those of the parts that are answered already, by name.
        failed: the parts that cannot be read, by name, and why.

    """

    job: Job | None
    pending: list[Part]
    rows: int | None
    records: dict[str, Record]
    failed: dict[str, str]


def plan(request: Request, parts: Sequence[Part], predictor: Predictor, output: Output, log: Log) -> Plan:
    """What of the parts is to be done, with the output folder claimed for it.

    LecoError where the columns change between parts, the texts are not to be found, or the folder has parts of another
    model or by other settings.
    """
    criterion = as_criterion(request.criterion, predictor.criterion)
    _check_criterion(predictor, criterion, request.monitoring)
    source = _source(request, predictor)
    before = output.manifest()
    records = _records(output, parts, before, log)
    heads, failed = _heads([part for part in parts if part.name not in records], source)
    shape = _shape(heads, before)
    text_columns = _text_columns(heads, source, before, log)
    check_pair(predictor.trained_on, len(text_columns) == 2, "The parts have") if text_columns else None
    names = [*answer_types(predictor, request.options, flat=parts[0].kind != JSONL)]
    taken = [name for name, _ in shape.columns]
    added = before.added if before and (before.part or records) else free_names(names, taken)
    settings = _settings(request, predictor, criterion, source, text_columns, parts[0].kind)
    rows = [head.rows for head in heads.values()]
    job = None
    if before or heads:
        output.claim(Manifest(settings, shape.part, shape.columns, added))
        job = Job(
            replace(request.spec, path=os.path.abspath(request.spec.path)),  # noqa: PTH100 - which keeps links
            criterion,
            output.address,
            request.options,
            source,
            request.monitoring,
            text_columns,
            shape,
            added,
        )
    return Plan(job, [*heads], None if None in rows else sum(filter(None, rows)), records, failed)


def _check_criterion(predictor: Predictor, criterion: Criterion, monitoring: MonitorOptions) -> None:
    """LecoError where the predictor cannot decide by it, or it cannot be watched."""
    criterion.check(predictor.task)
    predictor.decide([], criterion)
    watched(predictor, monitoring, criterion)


def _source(request: Request, predictor: Predictor) -> Source:
    """How parts are read: as is given, or else as those of the training."""
    kept = SourceOptions() if predictor.trained_on is None else predictor.trained_on.source
    where = fill(replace(kept, encoding=None), request.source)
    options = replace(SourceOptions(), **{name: getattr(where, name) for name in READ_BY})
    return Source(options, None if "encoding" in request.source else kept.encoding)


CELLS = ("delimiter", "encoding", "header")
DECODED_BY = {PARQUET: (), "csv": CELLS, "tsv": CELLS, JSONL: ("encoding",)}
"""The settings that say how the columns of each kind are written."""
READ_BY = ("text_columns", *CELLS)


def _records(output: Output, parts: Sequence[Part], before: Manifest | None, log: Log) -> dict[str, Record]:
    """The records of the parts that need not be answered again.

    Parts without rows need it as long as no other has said the columns, which their files are to have, too.
    """
    found = output.records(parts)
    changed = [part.name for part in parts if part.name in found and found[part.name].mark != part.mark]
    if changed:
        log(f"Changed since they were answered, and answered again: {listed(changed, 5)}.")
    if gone := output.without_input(parts):
        log(f"No longer among the inputs, though their answers are there: {listed(gone, 5)}.")
    known = before is not None and before.part
    return {name: record for name, record in found.items() if name not in changed and (known or record.rows)}


def _heads(parts: Sequence[Part], source: Source) -> tuple[dict[Part, Head], dict[str, str]]:
    """The heads of the parts that can be read, and what is wrong with the others."""

    def read(part: Part) -> Head | LecoError:
        try:
            return read_head(part, source)
        except LecoError as error:
            return error

    with ThreadPoolExecutor(READERS) as threads:
        found = dict(zip(parts, threads.map(read, parts), strict=True))
    good = {part: head for part, head in found.items() if isinstance(head, Head)}
    return good, {part.name: str(error) for part, error in found.items() if isinstance(error, LecoError)}


def _shape(heads: Mapping[Part, Head], before: Manifest | None) -> Shape:
    """The columns of all parts; LecoError where they change."""
    known = {part: head.columns for part, head in heads.items() if head.columns is not None}
    first = next(iter(known), None)
    shape = (
        before.shape if before and before.part else Shape(first.name if first else "", known[first] if first else ())
    )
    for part, columns in known.items():
        shape.check(part, columns)
    return shape


def _text_columns(heads: Mapping[Part, Head], source: Source, before: Manifest | None, log: Log) -> tuple[str, ...]:
    """The columns with the texts; none, which is not known yet, where no part has or had rows."""
    wanted = source.options.text_columns
    if before and not wanted and (known := before.settings["text_columns"]):
        return tuple(known)
    for part in heads:
        if (table := first_rows(part, source)) is not None:
            return find_text_columns(table, wanted, log)
    return wanted or ()


def _settings(
    request: Request,
    predictor: Predictor,
    criterion: Criterion,
    source: Source,
    text_columns: Sequence[str],
    kind: str,
) -> dict[str, Any]:
    """All on which answers depend, whichever parts there are; a model is named by its content, not by its path.

    That content has the encoding of its training, so that an encoding is named only where one is given.
    """
    return {
        "model": fingerprint(request.spec.path),
        "precision": predictor.precision,
        "criterion": str(criterion),
        "format": kind,
        "text_columns": list(text_columns),
        "empty": request.options.empty,
        "scores": request.options.scores,
        **{name: getattr(source.options, name) for name in DECODED_BY[kind]},
    }
