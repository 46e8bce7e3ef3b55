"""A service in a process of its own, for tests."""

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager


@contextmanager
def served(path, *flags, environment=None):
    """A service in a process of its own; gives it and its address. It is killed if it still runs."""
    command = [sys.executable, "-m", "leco", "serve", str(path), "--port", "0", "--device", "cpu", *map(str, flags)]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables)
    try:
        address = None
        for line in process.stderr:
            if found := re.search(r"Listening on (http://\S+)", line):
                address = found[1]
                break
        assert address is not None
        log = []
        threading.Thread(target=lambda: log.extend(process.stderr), daemon=True).start()
        process.log = log
        yield process, address
    finally:
        process.kill()
        process.wait()
