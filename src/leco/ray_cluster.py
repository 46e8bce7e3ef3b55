"""A Ray cluster, and what is said where there is none."""

import logging
import os
from typing import Any

from leco.errors import LecoError, first_line, parameter

ADDRESS = "RAY_ADDRESS"
INSTALL = "Ray is needed: pip install 'leco[ray]'."


def load_ray() -> Any:
    """The library; LecoError where it is not installed."""
    try:
        import ray
    except ImportError as error:
        raise LecoError(INSTALL) from error
    return ray


def connected_ray(address: str | None = None) -> Any:
    """The library, connected to the cluster at an address, by default $RAY_ADDRESS, or else one that is started here.

    It stays connected until Python ends. LecoError where the cluster cannot be reached.
    """
    ray, address = load_ray(), address or os.environ.get(ADDRESS)
    if ray.is_initialized():
        return ray
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray's own have no common class
        raise LecoError(
            f"The Ray cluster {f'at {address!r} ' if address else ''}cannot be reached ({first_line(error)}). Give "
            f"{parameter('ray_address')}, or leave it out for one on this machine."
        ) from error
    return ray
