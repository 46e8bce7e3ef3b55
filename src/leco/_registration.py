"""Makes Transformers' Auto classes and pipelines know multi-exit models, once they are imported.

Importing Transformers takes seconds and PyTorch, which `import leco.runtime` must not cost. So this waits until
somebody imports the Auto classes, before or after `import leco`. That may be in the middle of any other import, when
much of Transformers is half-made: hence the configuration alone is imported then, the model when one is loaded.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import wrapt


@wrapt.when_imported("transformers.models.auto.configuration_auto")
def register_configuration(auto: ModuleType) -> None:
    """Let `AutoConfig` read a saved model's configuration, which registers itself."""
    import_module("leco.configuration")


@wrapt.when_imported("transformers.models.auto.modeling_auto")
def register_model(auto: ModuleType) -> None:
    """Let `AutoModelForSequenceClassification` load the model, and pipelines take it."""
    from leco.configuration import LecoConfig

    class DeferredModel:
        """What the Auto class asks for the model; the model's own module is imported only then."""

        config_class = LecoConfig

        @staticmethod
        def from_pretrained(*args: Any, **kwargs: Any) -> Any:
            return import_module("leco.model").MultiExitModel.from_pretrained(*args, **kwargs)

        @staticmethod
        def _from_config(*args: Any, **kwargs: Any) -> Any:
            return import_module("leco.model").MultiExitModel._from_config(*args, **kwargs)

    auto.AutoModelForSequenceClassification.register(LecoConfig, DeferredModel, exist_ok=True)
    auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES[LecoConfig.model_type] = "MultiExitModel"  # for pipelines


@wrapt.when_imported("transformers.pipelines.text_classification")
def truncate_in_pipelines(module: ModuleType) -> None:
    """Let pipelines cut the texts of our models as `predict` does; they cut none unless they are told to."""

    def preprocess(wrapped: Callable[..., Any], pipeline: Any, texts: tuple[Any, ...], told: dict[str, Any]) -> Any:
        if pipeline.model.config.model_type == "leco":
            told = {"truncation": True, "max_length": pipeline.model.max_length, **told}
        return wrapped(*texts, **told)

    wrapt.wrap_function_wrapper(module, "TextClassificationPipeline.preprocess", preprocess)
