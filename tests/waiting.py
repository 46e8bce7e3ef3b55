"""Waiting for what another process or thread does, in tests."""

import time


def until(condition, seconds=60, pause=0.05):
    """What `condition` gives, once it gives something; an error after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(pause)
    return found
