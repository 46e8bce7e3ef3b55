"""Makes Transformers' Auto classes and pipelines know multi-exit models, once they are imported.

Importing Transformers' models takes seconds and PyTorch, which `import leco.runtime` must not cost. So the
registration waits until somebody imports the Auto classes, whether before or after `import leco`.
"""

from types import ModuleType

import wrapt


@wrapt.when_imported("transformers.models.auto.modeling_auto")
def register(auto: ModuleType) -> None:
    """Register configuration and model, also as one that a text-classification pipeline may run."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    from leco.model.configuration import LecoConfig
    from leco.model.multi_exit import MultiExitModel

    AutoConfig.register(LecoConfig.model_type, LecoConfig, exist_ok=True)
    AutoModelForSequenceClassification.register(LecoConfig, MultiExitModel, exist_ok=True)
    auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES[LecoConfig.model_type] = MultiExitModel.__name__
