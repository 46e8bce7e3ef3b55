"""Parts that are answered on a Ray cluster.

Ray Data maps over a data set of parts, not of their rows: whatever is lost with an actor is one part, which another one
answers again and writes whole, and a job that is repeated goes on by the same records as a local one.
"""

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from leco.bulk.answerer import Answerer
from leco.bulk.job import Job, Outcome, Record, Tell
from leco.bulk.options import BulkOptions
from leco.bulk.parts import Part
from leco.bulk.places import is_in_memory
from leco.bulk.plan import Plan
from leco.errors import LecoError, first_line, parameter
from leco.extras import needed
from leco.runtime import Predictor

ATTEMPTS = 3
"""How often an actor is started again, or a part given to another one."""


class RayEngine:
    """The engine of a cluster."""

    def __init__(self, options: BulkOptions) -> None:
        with needed():
            import ray.data
        self.options = options
        address = options.ray_address or os.environ.get("RAY_ADDRESS")
        if ray.is_initialized():
            return
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # Ray's own have no common class
            raise LecoError(
                f"The Ray cluster {f'at {address!r} ' if address else ''}cannot be reached: {first_line(error)}. Give "
                f"{parameter('ray_address')}, or leave it out for one on this machine."
            ) from error

    def begin(self, planned: Plan, predictor: Predictor) -> Callable[[Tell], None]:
        """See `leco.bulk.engines.Engine`."""
        job, parts = planned.job, planned.pending
        if job is None or not parts:
            return lambda tell: None
        if any(map(is_in_memory, (job.output, parts[0].address))):
            raise LecoError("Files in memory are in this process alone, and no actor of Ray can see them.")
        threads = job.spec.threads or 1
        job = replace(job, spec=replace(job.spec, threads=threads))

        def answer_there(tell: Tell) -> None:
            import ray.data

            workers = self.options.workers or max(int(ray.cluster_resources().get("CPU", 1)) // threads, 1)
            rows = ray.data.from_items([asdict(part) for part in parts], override_num_blocks=len(parts))
            answered = rows.map_batches(
                RayAnswerer,
                fn_constructor_args=(job,),
                batch_size=1,
                concurrency=min(workers, len(parts)),
                num_cpus=threads,
                max_restarts=ATTEMPTS,
                max_task_retries=ATTEMPTS,
            )
            for row in answered.iter_rows():
                tell(_outcome(row))

        return answer_there


class RayAnswerer:
    """An actor: it loads the model, and answers part after part."""

    def __init__(self, job: Job) -> None:
        self.answerer = Answerer(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """The outcome of one part, as columns of one row each."""
        part = Part(**{name: str(values[0]) for name, values in batch.items()})
        outcome = self.answerer.answer(part, lambda rows: None)
        record = outcome.record or Record(part.mark, 0, 0, 0)
        return {name: [value] for name, value in {**asdict(part), **asdict(record), "problem": outcome.problem}.items()}


def _outcome(row: dict[str, Any]) -> Outcome:
    part = Part(**{name: row[name] for name in ("name", "address", "kind", "mark")})
    if row["problem"]:
        return Outcome(part, problem=row["problem"])
    return Outcome(part, Record(row["mark"], int(row["rows"]), int(row["without_text"]), int(row["truncated"])))
