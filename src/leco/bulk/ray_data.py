"""Parts that are answered on a Ray cluster.

Ray Data maps over a data set of parts, not of their rows: whatever is lost with an actor is one part, which another one
answers again and writes whole, and a job that is repeated goes on by the same records as a local one.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from leco.bulk.answerer import Answerer
from leco.bulk.job import Job, Outcome, Record, Tell, given_up
from leco.bulk.options import BulkOptions
from leco.bulk.parts import Part
from leco.bulk.places import is_in_memory
from leco.bulk.plan import Plan
from leco.errors import LecoError, first_line
from leco.ray_cluster import connected_ray
from leco.runtime import Predictor


class RayEngine:
    """The engine of a cluster."""

    def __init__(self, options: BulkOptions) -> None:
        self.options, self.ray = options, connected_ray(options.ray_address)

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

            workers = self.options.workers or max(int(self.ray.cluster_resources().get("CPU", 1)) // threads, 1)
            rows = ray.data.from_items([asdict(part) for part in parts], override_num_blocks=len(parts))
            answered = rows.map_batches(
                RayAnswerer,
                fn_constructor_args=(job, self.ray.remote(num_cpus=0)(Attempts).remote()),
                batch_size=1,
                compute=ray.data.ActorPoolStrategy(size=min(workers, len(parts))),
                num_cpus=threads,
            )
            try:
                for row in answered.iter_rows():
                    tell(_outcome(row))
            except self.ray.exceptions.RayError as error:
                raise reason(error) from error

        return answer_there


class Attempts:
    """An actor that counts how often each part was begun: Ray gives one whose actor ended to another without end."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def begin(self, name: str) -> int:
        """How often the part was begun before."""
        self._begun[name] += 1
        return self._begun[name] - 1


class RayAnswerer:
    """An actor: it loads the model, and answers part after part."""

    def __init__(self, job: Job, attempts: Any) -> None:
        self.answerer, self.attempts = Answerer(job), attempts

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """The outcome of one part, as columns of one row each."""
        import ray

        part = Part(**{name: str(values[0]) for name, values in batch.items()})
        problem = given_up(ray.get(self.attempts.begin.remote(part.name)))
        outcome = Outcome(part, problem=problem) if problem else self.answerer.answer(part, lambda rows: None)
        record = outcome.record or Record(part.mark, 0, 0, 0)
        return {name: [value] for name, value in {**asdict(part), **asdict(record), "problem": outcome.problem}.items()}


def _outcome(row: dict[str, Any]) -> Outcome:
    part = Part(**{name: row[name] for name in ("name", "address", "kind", "mark")})
    if row["problem"]:
        return Outcome(part, problem=row["problem"])
    return Outcome(part, Record(row["mark"], int(row["rows"]), int(row["without_text"]), int(row["truncated"])))


def reason(error: BaseException) -> LecoError:
    """What an actor raised, if it is ours, or else that the cluster gave up."""
    inner: BaseException | None = error
    while inner is not None:
        if type(inner) is LecoError:
            return inner
        inner = getattr(inner, "cause", None) or inner.__cause__
    return LecoError(
        f"The Ray cluster gave up ({first_line(error)}). The parts that are answered are kept: repeat the command."
    )
