"""The service as a deployment of Ray Serve: replicas, as many as its load needs, wherever a cluster has room."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leco.calibration import MonitorOptions
from leco.errors import LecoError, parameter
from leco.extras import needed
from leco.loading import PredictorSpec
from leco.options import check_names, fill, option, taking, validate
from leco.runtime import monitor_options
from leco.serving.options import ServingOptions

ELSEWHERE = ("host", "port", "workers")
"""Settings of a service that Ray Serve has by itself."""


@dataclass(frozen=True)
class ReplicaOptions:
    """How many replicas there are, and what each has."""

    min_replicas: int = option(1, "Fewest replicas.", minimum=1)
    max_replicas: int = option(4, "Most replicas.", minimum=1)
    target_requests: float = option(
        16.0, "Requests of a replica at a time, waiting ones among them: with more there are more replicas.", above=0
    )
    upscale_delay: float = option(10.0, "Seconds of more load before there are more replicas.", minimum=0)
    downscale_delay: float = option(300.0, "Seconds of less load before there are fewer.", minimum=0)
    gpus: float = option(0.0, "GPUs of each replica; a part lets several share one.", minimum=0)
    health_period: float = option(5.0, "Seconds from one health check of a replica to the next.", above=0)

    def __post_init__(self) -> None:
        validate(self)
        if self.min_replicas > self.max_replicas:
            raise LecoError(
                f"{parameter('min_replicas')} must be at most {parameter('max_replicas')} {self.max_replicas}, "
                f"not {self.min_replicas}."
            )


@taking(ReplicaOptions(), ServingOptions(), MonitorOptions())
def ray_app(path: str | Path, *, device: str = "auto", **options: Any) -> Any:
    """The service of `leco serve` as an application of Ray Serve, for `ray.serve.run`; `threads` are a replica's cores.

    >>> from ray import serve
    >>> serve.run(leco.serving.ray_app("reviews-model", max_replicas=8))  # doctest: +SKIP

    Each replica loads the model by itself, so that its machine must have it under `path`. Ray Serve listens, and deals
    out requests. It replaces a replica that has died, or whose health check fails: whose engine answers no more. The
    requests that it had are answered by 500, or the connection ends; they can be sent again.

    Args:
        path: a model folder or an exported file.
        device: where a model folder runs: auto, cpu or cuda.
        options: the settings below.

    Raises:
        LecoError: where Ray Serve or the service is not installed, and for wrong settings.

    """
    replicas, serving = ReplicaOptions(), ServingOptions()
    check_names([replicas, serving, MonitorOptions()], options)
    if given := [name for name in ELSEWHERE if name in options]:
        raise LecoError(f"{parameter(given[0])} is Ray Serve's own setting (ray.serve.start). Leave it out here.")
    given_serving = fill(serving, options)
    serving = replace(given_serving, threads=given_serving.threads or 1)
    spec = PredictorSpec(str(Path(path).resolve()), serving.threads, device)
    build = _application(spec, serving, monitor_options(options))
    return _deployment(fill(replicas, options), serving, build).bind()


def _application(spec: PredictorSpec, serving: ServingOptions, monitoring: MonitorOptions) -> Any:
    """What builds the application in a replica, from what is pickled with it."""
    with needed():
        from leco.serving.server import read_key
    key = read_key(serving)

    def build() -> Any:
        import logging

        from leco.serving.app import create_app
        from leco.serving.metrics import Metrics
        from leco.serving.service import Service

        warn = logging.getLogger("leco.serving").warning
        return create_app(Service(spec, serving, monitoring, Metrics(warn)), serving, key)

    return build


def _deployment(replicas: ReplicaOptions, serving: ServingOptions, build: Any) -> Any:
    """The deployment, whose replicas each build their application."""
    with needed():
        from ray import serve

    @serve.ingress(build)
    class Replica:
        app: Any  # what was built, which Ray Serve gives it

        def check_health(self) -> None:
            """Raise where its engine answers no more."""
            if not self.app.state.service.healthy:
                raise RuntimeError("the engine has ended")

    return serve.deployment(
        Replica,
        name="leco",
        max_ongoing_requests=serving.max_concurrent,
        autoscaling_config={
            "min_replicas": replicas.min_replicas,
            "max_replicas": replicas.max_replicas,
            "initial_replicas": replicas.min_replicas,
            "target_ongoing_requests": replicas.target_requests,
            "upscale_delay_s": replicas.upscale_delay,
            "downscale_delay_s": replicas.downscale_delay,
        },
        ray_actor_options={"num_cpus": serving.threads, "num_gpus": replicas.gpus},
        health_check_period_s=replicas.health_period,
        graceful_shutdown_timeout_s=serving.timeout + 5,
    )
