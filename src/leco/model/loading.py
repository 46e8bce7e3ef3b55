"""Loading multi-exit models, with errors that say what to do."""

import os
from pathlib import Path

from leco.configuration import LecoConfig
from leco.devices import pick_device
from leco.display import shortened
from leco.errors import LecoError, first_line, parameter
from leco.files import read_json
from leco.model.finite import check_finite
from leco.model.multi_exit import MultiExitModel
from leco.model.pretrained import load


def load_model(folder: str | Path, device: str = "cpu") -> MultiExitModel:
    """A trained multi-exit model from its `folder`, on a `device`: auto, cpu, cuda, cuda:N or mps.

    LecoError where there is none, or a foreign or broken one.

    >>> load_model("reviews-model").num_layers
    3
    """
    place = pick_device(device)
    path = Path(folder)
    if not os.path.isdir(path):  # noqa: PTH112 - Path's may raise
        raise LecoError(f"The model folder '{shortened(folder, 200)}' does not exist. 'leco fit' makes one.")
    try:
        model_type = read_json(path / "config.json").get("model_type")
    except (LecoError, AttributeError) as error:
        raise LecoError(f"'{folder}' is not a model folder: its config.json is missing or broken ({error}).") from error
    if model_type != LecoConfig.model_type:
        raise LecoError(
            f"'{folder}' holds a model of type '{model_type}', not a multi-exit one. "
            f"Make one of it: leco fit --model {folder} ..."
        )
    model: MultiExitModel
    model, report = load(MultiExitModel, str(path), "model", output_loading_info=True)
    if missing := sorted(report["missing_keys"]):  # Transformers would go on with random ones
        raise LecoError(f"'{folder}' is broken: its weights lack '{missing[0]}' and {len(missing) - 1} more.")
    weights = {f"the weight '{name}'": weight for name, weight in model.named_parameters()}
    check_finite(
        weights,
        f"'{folder}' is broken",
        f"Train the model again, with a lower {parameter('lr')} and {parameter('exit_lr')}.",
    )
    model.tokenizer  # noqa: B018 - a folder without its tokenizer is broken, and this is the time to say so
    try:
        model.config.check()
        model.answer(model.encode(["a text", ("a", "pair")]))
    except Exception as error:  # whatever the settings of the backbone lead to
        raise LecoError(f"'{folder}' is broken: {first_line(error)}. Save the model again.") from error
    return in_memory(model).to(place)  # type: ignore[arg-type]  # Transformers types it loosely


def in_memory(model: MultiExitModel) -> MultiExitModel:
    """The model with weights of its own: they may lie in its file, and whoever overwrites that would end the process.

    Where files are replaced under a service, that is what `cp` does.
    """
    for weight in (*model.parameters(), *model.buffers()):
        weight.data = weight.data.clone()
    return model
