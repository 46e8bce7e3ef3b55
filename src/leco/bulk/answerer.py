"""The part of a job that is done once in each process: load the model, then answer part after part."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from leco.bulk.answering import Answering
from leco.bulk.columns import Types, answer_types, by_name
from leco.bulk.job import Job, Outcome, PartError, Record
from leco.bulk.options import JSONL, PARQUET
from leco.bulk.output import Output
from leco.bulk.parts import Part
from leco.bulk.places import inside, placed
from leco.bulk.reading import as_table, columns_of, named, parquet_windows, row_windows
from leco.bulk.writing import write_parquet, write_rows
from leco.data.tables import Table
from leco.data.unlabelled import rows_of
from leco.data.writers import Columns
from leco.errors import LecoError
from leco.runtime import Predictor, watched

OnRows = Callable[[int], None]


class Answerer:
    """Answers the parts of a job.

    Args:
        job: the job.
        predictor: the job's, where it is loaded already.

    Raises:
        LecoError: where the predictor cannot be loaded here.

    """

    def __init__(self, job: Job, predictor: Predictor | None = None) -> None:
        self.job, self.output = job, Output(job.output)
        self.predictor = watched(predictor or job.spec.load(), job.monitoring, job.criterion)

    def answer(self, part: Part, on_rows: OnRows) -> Outcome:
        """Write the answers of a part, whole, and then its record; `on_rows` is told of rows as they are done.

        What is wrong with the part is its outcome; LecoError for what would be wrong with any, such as a full disk.
        """
        options = self.job.options
        answering = Answering(self.predictor, self.job.criterion, options.batch_size, options.empty, options.scores)
        try:
            with placed(inside(self.job.output, part.name)) as path:
                if part.kind == PARQUET:
                    write_parquet(path, self._tables(part, answering, on_rows))
                else:
                    write_rows(path, self._pieces(part, answering, on_rows), part, self.job)
        except PartError as error:
            return Outcome(part, problem=str(error))
        answering.notes()  # which checks what is watched
        record = Record(part.mark, answering.rows, answering.without_text, answering.truncated)
        self.output.keep(part, record)
        return Outcome(part, record)

    def _tables(self, part: Part, answering: Answering, on_rows: OnRows) -> Iterator[pa.Table]:
        """The windows of Parquet, which stay as they are, with the columns of the answers."""
        with _about_part():
            types = answer_types(self.predictor, self.job.options, flat=True)
            for window in parquet_windows(part):
                self.job.shape.check(part, columns_of(window.schema))
                yield self._with_answers(part, window, answering, types)
                on_rows(len(window))

    def _with_answers(self, part: Part, window: pa.Table, answering: Answering, types: Types) -> pa.Table:
        found: dict[str, list[Any]] = {name: [] for name in types}
        if len(window):
            self._check_known(part)
            texts = as_table(part, window, self.job.text_columns, answering.rows + 1)
            found = self._answers(texts, answering, types)
        answered = window
        for name, kind in types.items():
            answered = answered.append_column(self.job.added[name], pa.array(found[name], kind))
        return answered

    def _pieces(self, part: Part, answering: Answering, on_rows: OnRows) -> Iterator[tuple[Columns, Columns]]:
        """The rows of another kind with their answers."""
        with _about_part():
            types = answer_types(self.predictor, self.job.options, flat=part.kind != JSONL)
            for table in row_windows(part, self.job.source):
                self._check_known(part)
                self.job.shape.check(part, named(table.columns))
                yield table.columns, self._answers(table, answering, types)
                on_rows(len(table))

    def _check_known(self, part: Part) -> None:
        """LecoError where it is not known which columns a part with rows has, and in which of them are the texts."""
        if not (self.job.shape.part and self.job.text_columns):
            raise LecoError(f"'{part.name}' has rows, and no part had any when the job began. Repeat the command.")

    def _answers(self, table: Table, answering: Answering, types: Types) -> dict[str, list[Any]]:
        return by_name(answering.answer_with_cuts(rows_of(table, self.job.text_columns)), list(types))


@contextmanager
def _about_part() -> Iterator[None]:
    """A block that reads and answers a part, whose errors say nothing of other parts."""
    try:
        yield
    except LecoError as error:
        raise PartError(str(error)) from error
