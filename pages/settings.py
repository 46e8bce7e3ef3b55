"""The reference of the settings, from the groups of fields that hold them."""

from typing import Any, get_args

from leco.bulk.options import BulkOptions
from leco.calibration import CalibrationOptions, MonitorOptions, VerificationOptions
from leco.cli.parameters import flag_of
from leco.options import settings_of
from leco.presets import DEFAULTS, PRESETS
from leco.serving.options import ENVIRONMENT, ServingOptions
from leco.serving.ray_serve import ReplicaOptions
from leco.settings import TablesOptions, TimingOptions
from pages import GENERATED, table

INTRODUCTION = f"""# Settings

Every setting is a field of a group. Its name in Python (`leco.fit(..., exit_lr=1e-3)`) is its flag on the command line
(`--exit-lr 1e-3`), except where the table says otherwise. A value that is not allowed ends in one sentence that names
the setting, its range and the value. For `leco serve` each is also an environment variable: `{ENVIRONMENT}PORT`.

## Presets

A preset is a named set of values; any setting may be given beside it. `sampling` is the default of `leco fit`. What a
preset does not name has the default of its group below.
"""
USED_BY = {
    "SourceOptions": "every command and function that reads data",
    "RunOptions": "`leco.fit`, `leco.train` and `leco.pipeline.search`",
    "TrainingOptions": "`leco.fit`, `leco.train` and `leco.pipeline.search`",
    "SearchOptions": "`leco.fit`, `leco.train` and `leco.pipeline.search`",
    "ExitOptions": "`leco.fit` and `leco.train`",
    "ChoiceOptions": "`leco.fit` and `leco.train`",
    "TimingOptions": f"`leco.fit` and, with all texts {TimingOptions().repeats} times, `leco.evaluate`",
    "CalibrationOptions": "`leco.calibrate`",
    "VerificationOptions": "`leco.verify`",
    "MonitorOptions": "`leco predict`, `leco serve` and `leco.runtime.Watched`",
    "ServingOptions": "`leco serve`",
    "ReplicaOptions": "`leco.serving.ray_app`",
    "BulkOptions": "`leco predict` on folders and `leco.bulk.predict`; some of them `leco.spark.predict_udf`",
    "TablesOptions": "`leco reproduce`",
}
GROUPS: tuple[Any, ...] = (
    *(DEFAULTS.groups(("source", "run", "training", "search", "exits", "choice", "timing"))),
    CalibrationOptions(),
    VerificationOptions(),
    MonitorOptions(),
    ServingOptions(),
    ReplicaOptions(),
    BulkOptions(),
    TablesOptions(),
)


def page() -> str:
    """The page in Markdown."""
    return "\n\n".join([GENERATED, INTRODUCTION.strip(), presets(), *(section(group) for group in GROUPS)]) + "\n"


def presets() -> str:
    """What each preset sets."""
    names = list(dict.fromkeys(name for values in PRESETS.values() for name in values))
    rows = [
        [f"`{name}`", *(f"`{preset[name]}`" if name in preset else "" for preset in PRESETS.values())] for name in names
    ]
    return table(["Setting", *(f"`{name}`" for name in PRESETS)], rows)


def section(group: Any) -> str:
    """A group: its settings with their defaults and what is allowed."""
    name = type(group).__name__
    title = name.removesuffix("Options")
    rows = [[f"`{one}`", f"`{flag_of(one)}`", *about(group, one)] for one in settings_of(group)]
    columns = ["Setting", "Flag", "Default", "Allowed", "Meaning"]
    return f"## {title}\n\nOf {USED_BY[name]}.\n\n{table(columns, rows)}"


def about(group: Any, name: str) -> list[str]:
    """Default, what is allowed, and meaning of a setting."""
    field, hint = settings_of(group)[name]
    value = getattr(group, name)
    return ["" if value is None else f"`{value}`", allowed(field.metadata, hint), field.metadata["help"]]


def allowed(metadata: Any, hint: Any) -> str:
    """The type and range of a setting in words."""
    if metadata["choices"] is not None:
        return ", ".join(f"`{choice}`" for choice in metadata["choices"])
    kinds = [one for one in get_args(hint) if one not in (type(None), ...)] or [hint]
    words = {int: "whole number", float: "number", bool: "true, false", str: "text", tuple: "names"}
    kind = words.get(kinds[0], "names" if get_args(kinds[0]) else "path")
    limits = {"minimum": "from", "above": "above", "maximum": "to", "below": "below"}
    return " ".join(
        [kind, *(f"{word} {metadata[key]:,.10g}" for key, word in limits.items() if metadata[key] is not None)]
    )
