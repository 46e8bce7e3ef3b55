"""LECO: early exiting for Transformer encoders.

`fit` makes an early-exiting classifier of a pretrained encoder and labelled texts, `train` does so without a search and
an evaluation; `MultiExitModel` is one, `load` gives the predictor of a model folder or of an ONNX file, which needs no
PyTorch, and `evaluate` scores it. After
`import leco`, `AutoModelForSequenceClassification` and `pipeline("text-classification")` load such models too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leco import _arrival as _arrival
from leco.criteria import CRITERIA, Criterion
from leco.errors import LecoError
from leco.extras import needed
from leco.lazy import lazily
from leco.loading import PredictorSpec, load
from leco.runtime import Answer, Predictor

if TYPE_CHECKING:
    from leco.certifying import calibrate as calibrate
    from leco.certifying import verify as verify
    from leco.criteria import *  # noqa: F403
    from leco.evaluation import evaluate as evaluate
    from leco.exits.architecture import Architecture as Architecture
    from leco.model import LecoConfig as LecoConfig
    from leco.model import MultiExitModel as MultiExitModel
    from leco.pipeline import fit as fit
    from leco.pipeline import train as train

__version__ = "0.2.0"

_LAZY = {
    "Architecture": "leco.exits.architecture",
    "LecoConfig": "leco.model",
    "MultiExitModel": "leco.model",
    "calibrate": "leco.certifying",
    "evaluate": "leco.evaluation",
    "fit": "leco.pipeline",
    "train": "leco.pipeline",
    "verify": "leco.certifying",
}
"""What needs PyTorch, and where it is: imported when it is first asked for."""

_lazy = lazily(__name__, _LAZY)
_MODULES = ("bulk", "spark")
"""Parts with functions of their own, imported when they are first asked for."""

_CRITERIA = {criterion.__name__: criterion for criterion in CRITERIA.values()}

__all__ = [
    "Answer",
    "Architecture",
    "Criterion",
    "LecoConfig",
    "LecoError",
    "MultiExitModel",
    "Predictor",
    "PredictorSpec",
    "calibrate",
    "evaluate",
    "fit",
    "load",
    "train",
    "verify",
]
__all__ += list(_CRITERIA)


def __getattr__(name: str) -> Any:
    if name in _CRITERIA:
        return _CRITERIA[name]
    if name in _MODULES:
        with needed():
            return import_module(f"leco.{name}")
    return _lazy(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
