"""Folders of texts to folders of answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leco.bulk.engines import ENGINES, Engine
from leco.bulk.job import Event, Outcome, Tell
from leco.bulk.options import BulkOptions
from leco.bulk.output import Output
from leco.bulk.parts import Part, find_parts
from leco.bulk.plan import Plan, Request, plan
from leco.criteria import Criterion
from leco.display import listed
from leco.files import check_path
from leco.loading import PredictorSpec
from leco.options import fill, taking
from leco.progress import progress_bar, say
from leco.settings import SourceOptions


@dataclass(frozen=True)
class Summary:
    """What is in the output when a job has ended.

    Attributes:
        parts, rows: how many are answered, those of calls before included.
        without_text, truncated: of the rows, those that have no text, and those whose text was cut.
        answered: the rows that this call has answered.
        seconds: that it took to answer these.
        failed: the parts that could not be answered, by name, and why.
        renamed: the columns of answers that have other names, since the parts had columns of theirs.

    """

    parts: int
    rows: int
    without_text: int
    truncated: int
    answered: int
    seconds: float
    failed: Mapping[str, str]
    renamed: Mapping[str, str]


@taking(BulkOptions())
def predict(
    model: str | PredictorSpec,
    inputs: str | Sequence[str],
    output: str,
    criterion: Criterion | str | None = None,
    source: SourceOptions | None = None,
    **options: Any,
) -> Summary:
    """Answer all rows of folders of Parquet, CSV or JSON Lines, into a folder with a file for each of theirs.

    Each file is written whole or not at all, with all that the rows hold and `label`, `score`, `exit_layer` and
    `truncated`; a job that was stopped goes on with the files that are missing. Memory does not grow with the input.

    >>> import leco
    >>> leco.bulk.predict("reviews-model", "reviews/", "answers/", workers=2)  # doctest: +SKIP

    Args:
        model: a model folder or an exported file, or what loads it.
        inputs: one or several folders, patterns or files, here or at addresses of fsspec (s3://bucket/folder).
        output: the folder, or its address.
        criterion: when to exit; by default the model's own.
        source: text columns, delimiter, encoding and header, as far as they are not those of the training.
        **options: see below.

    Returns:
        How many rows there are, and which parts failed.

    Raises:
        LecoError: where there are no parts, their columns change, or `output` has parts of another model or by other
            settings; before anything is answered, as far as it can be known then.

    """
    spec = model if isinstance(model, PredictorSpec) else PredictorSpec(model)
    where = {} if source is None else {name: value for name, value in vars(source).items() if value is not None}
    several = list(map(str, inputs)) if isinstance(inputs, list | tuple) else [str(inputs)]
    chosen = fill(BulkOptions(), options, strict=True)
    check_path(output, "output")
    return answer_parts(Request(spec, several, str(output), criterion, chosen, where))


def answer_parts(request: Request, log: Callable[[str], None] = say) -> Summary:
    """Answer what a `request` asks for, part by part, and say what came of it; `log` gets lines for people.

    LecoError for anything that the user can repair; what is answered by then stays, and is not answered again.
    """
    engine = ENGINES[request.options.engine](request.options)
    parts, others = find_parts(request.inputs, request.output, request.options.format)
    if others:
        log(f"No parts by their suffix, and left out: {listed(others, 5)}.")
    output = Output(request.output)
    with output.held():
        planned, answer = _begun(request, engine, parts, output, log)
        start = time.perf_counter()
        done = _answered(planned, answer)
        seconds = time.perf_counter() - start
    return _summary(planned, done, seconds)


def _begun(
    request: Request, engine: Engine, parts: Sequence[Part], output: Output, log: Callable[[str], None]
) -> tuple[Plan, Callable[[Tell], None]]:
    """The plan, and what carries it out, which alone keeps the model in memory, if it needs it."""
    predictor = request.spec.load()
    planned = plan(request, parts, predictor, output, log)
    return planned, engine.begin(planned, predictor)


def _answered(planned: Plan, answer: Callable[[Tell], None]) -> Plan:
    """The plan with what has come of its parts."""
    records, failed = dict(planned.records), dict(planned.failed)

    with progress_bar("answering", planned.rows, unit="rows") as advance:

        def tell(event: Event) -> None:
            if not isinstance(event, Outcome):
                advance(event)
            elif event.record is None:
                failed[event.part.name] = event.problem
            else:
                records[event.part.name] = event.record

        answer(tell)
    return replace(planned, records=records, failed=failed)


def _summary(planned: Plan, done: Plan, seconds: float) -> Summary:
    records = done.records.values()
    rows = sum(record.rows for record in records)
    return Summary(
        parts=len(records),
        rows=rows,
        without_text=sum(record.without_text for record in records),
        truncated=sum(record.truncated for record in records),
        answered=rows - sum(record.rows for record in planned.records.values()),
        seconds=seconds,
        failed=dict(sorted(done.failed.items())),
        renamed={name: new for name, new in (done.job.added if done.job else {}).items() if new != name},
    )
