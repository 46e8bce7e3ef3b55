"""A Ray cluster as the place where experiments run: a task for each, whose worker starts its process."""

from dataclasses import dataclass
from typing import Any

from leco.errors import first_line
from leco.ray_cluster import connected_ray
from leco.reproduction.engines import Engine, ExperimentProcess, Running

RETRIES = 3
"""How often an experiment begins again whose worker, or process, was killed; it goes on where it had stopped."""


class KilledError(Exception):
    """The process of an experiment was killed by a signal, such as that of a machine that is out of memory."""


def run_process(process: ExperimentProcess) -> bool:
    """Run the process of an experiment to its end, wherever this is called; whether it has succeeded."""
    code = process.start().wait()
    if code < 0:
        raise KilledError(f"signal {-code}")
    return code == 0


class RayEngine(Engine):
    """A cluster whose machines all see the folder of results, the data and this library."""

    def __init__(self, address: str | None = None) -> None:
        """LecoError where there is no Ray, or no cluster."""
        self.ray = connected_ray(address)
        machines = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        self.cores = [int(one.get("CPU", 0)) for one in machines]
        self.gpus = sum(int(one.get("GPU", 0)) for one in machines)

    def threads(self, shares: int) -> int:
        """An equal share of the cluster's cores, and no more than its largest machine has."""
        return max(1, min(sum(self.cores) // shares, max(self.cores)))

    def start(self, process: ExperimentProcess) -> Running:
        """Hand it to the cluster, which begins it where there is room."""
        task = self.ray.remote(run_process).options(
            num_cpus=process.threads,
            num_gpus=int(process.gpu and self.gpus > 0),
            max_retries=RETRIES,
            retry_exceptions=[KilledError],
        )
        return RayTask(self.ray, task.remote(process), process)


@dataclass(frozen=True)
class RayTask(Running):
    """A task of the cluster, which waits for room or runs."""

    ray: Any
    reference: Any
    process: ExperimentProcess

    def ended(self) -> bool | None:
        """Ask the cluster; where it could not run the process, the log says why."""
        ready, _ = self.ray.wait([self.reference], timeout=0)
        if not ready:
            return None
        try:
            return bool(self.ray.get(self.reference))
        except self.ray.exceptions.RayError as error:
            with (self.process.directory / self.process.log).open("a", encoding="utf-8") as log:
                log.write(f"error: Ray could not run it ({first_line(error)}).\n")
            return False

    def stop(self) -> None:
        """End its worker, and with that its process."""
        self.ray.cancel(self.reference, force=True)
