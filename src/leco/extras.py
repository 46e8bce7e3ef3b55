"""Packages that are installed by choice, and the sentence that says which choice a task needs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from leco.errors import LecoError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "train": ("torch", "transformers", "datasets", "accelerate", "safetensors", "sklearn", "matplotlib", "jinja2"),
    "runtime": ("onnxruntime", "tokenizers", "fsspec"),
    "tables": ("pandas", "pyarrow"),
    "ray": ("ray",),
    "spark": ("pyspark",),
    "onnx": ("onnx", "onnxscript"),
    "serve": ("fastapi", "uvicorn", "prometheus_client", "starlette"),
}
"""The packages of each extra, as they are imported."""


class MissingError(LecoError, ImportError):
    """A package is not installed that comes with an extra of LECO's own."""


@contextmanager
def needed() -> Iterator[None]:
    """A block in which a package that is not installed is a MissingError, which says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = next((extra for extra, packages in EXTRAS.items() if package in packages), None)
        if extra is None:
            raise
        raise MissingError(
            f"This needs the package '{package}', which is not installed. Run: pip install 'leco[{extra}]'"
        ) from error
