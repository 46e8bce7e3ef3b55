"""Makes Transformers' Auto classes and pipelines know multi-exit models, once they are imported.

Importing Transformers' models takes seconds and PyTorch, which `import leco.runtime` must not cost. So this waits until
somebody imports the Auto classes, whether before or after `import leco`. `leco.model` then registers itself.
"""

import sys
from importlib import import_module
from types import ModuleType

import wrapt


@wrapt.when_imported("transformers.models.auto.modeling_auto")
def import_models(auto: ModuleType) -> None:
    """Import the models, unless it is they who import the Auto classes just now."""
    if "leco.model" not in sys.modules:
        import_module("leco.model")
