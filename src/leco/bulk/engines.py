"""What answers the parts of a job: this process, several on this machine, or a Ray cluster."""

from collections.abc import Callable, Mapping
from typing import Protocol

from leco.bulk.job import Tell
from leco.bulk.local import LocalEngine
from leco.bulk.options import BulkOptions
from leco.bulk.plan import Plan
from leco.bulk.ray_data import RayEngine
from leco.runtime import Predictor
from leco.settings import LOCAL, RAY


class Engine(Protocol):
    """Made of the options, before anything else is done; LecoError where it is not installed or not reachable."""

    def begin(self, planned: Plan, predictor: Predictor) -> Callable[[Tell], None]:
        """What answers the parts, in any order, and tells of it; it keeps the predictor only where it answers itself.

        A process that is killed costs no row, since parts are written whole: its part is answered again. Where that
        happens time and again, it is the part's outcome.
        """


ENGINES: Mapping[str, Callable[[BulkOptions], Engine]] = {LOCAL: LocalEngine, RAY: RayEngine}
