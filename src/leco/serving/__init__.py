"""A model as a service: batches over depth, HTTP, a playground, replicas on a cluster."""

from leco.serving.ray_serve import ray_app

__all__ = ["ray_app"]
