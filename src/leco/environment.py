"""What numbers depend on beside the settings: the versions of libraries, and the machine."""

import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import accelerate
import numpy
import torch
import transformers


def versions() -> dict[str, str]:
    """The versions of this library and of those that its numbers depend on."""
    modules = (accelerate, numpy, torch, transformers)
    return {"leco": version("leco"), **{module.__name__: module.__version__ for module in modules}}


def machine() -> dict[str, Any]:
    """The processor, the threads used on it, Python and the date."""
    processor, cpuinfo = platform.processor(), Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    return {
        "processor": processor or "unknown",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "date": date.today().isoformat(),
    }
