"""A Ray cluster, and what is said where there is none."""

import logging
import os
import socket
from typing import Any

from leco.errors import LecoError, first_line, parameter
from leco.extras import needed

ADDRESS = "RAY_ADDRESS"
SOON = 10
"""Seconds in which the address of a cluster answers; Ray itself would try for minutes."""


def connected_ray(address: str | None = None) -> Any:
    """Ray, connected to the cluster at an address, by default $RAY_ADDRESS, or else to one that is started here.

    It stays connected until Python ends. LecoError where Ray is not installed, or the cluster cannot be reached.
    """
    with needed():
        import ray
    address = address or os.environ.get(ADDRESS)
    if ray.is_initialized():
        return ray
    try:
        if address is not None:
            _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray's own have no common class
        raise LecoError(
            f"The Ray cluster {f'at {address!r} ' if address else ''}cannot be reached ({first_line(error)}). Give "
            f"{parameter('ray_address')}, or leave it out for one on this machine."
        ) from error
    return ray


def _knock(address: str) -> None:
    """OSError where nobody listens at an address that has a port."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), SOON).close()
