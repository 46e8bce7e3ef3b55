"""The model card: the README.md of a model folder, with the figures measured for it."""

from collections.abc import Mapping
from typing import Any

from leco.calibration import Certificate
from leco.criteria import exits_in_words, first_counted
from leco.display import in_markdown, time_saved
from leco.environment import versions
from leco.model import MultiExitModel

CARD = "README.md"
BEGIN, END = "<!-- certificate: begin -->", "<!-- certificate: end -->"

_TEMPLATE = """\
---
library_name: leco
pipeline_tag: text-classification
tags: [early-exit, text-classification]
---

# {title}

An early-exiting text classifier: [{backbone}] with an exit on {which}, trained on {data}.
A text leaves at the first exit where the criterion `{criterion}` is satisfied.

```python
from leco import MultiExitModel

model = MultiExitModel.from_pretrained("path/to/this/folder")
for answer in model.predict(["a text", "another one"], batch_size=16):
    print(answer.label, answer.scores, answer.exit_layer)
```

## Figures on the test split ({rows} texts, metric: {metric})

| | |
|---|---|
| score when texts leave early | {score:.4f} |
| score at full depth | {full:.4f} |
| time of a text against full depth, measured at batch size 1 | {saved}, median of {repeats} repeats |
| mean exit layer | {mean:.2f} of {layers} |
| AVG and BEST over all exits | {avg:.4f} and {best:.4f} |

The criterion's settings were chosen on the dev split. Scores are fractions of 1.

| layer | exit | score | texts that leave here |
|---|---|---|---|
{exits}

![speedup-score curve](curve.png)

{certificate}## How it was made

{made}

Versions: {versions}.
"""


def model_card(
    model: MultiExitModel,
    backbone: str,
    settings: Mapping[str, Any],
    training: Mapping[str, Any],
    results: Mapping[str, Any],
) -> str:
    """The card of a model trained from `backbone` with these settings, and its evaluation's `results`."""
    first = first_counted(model.task.exit_layers)
    rows = [
        f"| {layer} | {_exit(architecture)} | {score:.4f} | {results['exit_layer_counts'][layer - first]} |"
        for layer, architecture, score in zip(
            model.task.exit_layers, model.config.exits, results["exit_scores"], strict=True
        )
    ]
    layers = model.num_layers
    shown = ", ".join(f"{name}={in_markdown(value)}" for name, value in settings.items())
    preset = f"Preset: {in_markdown(training['preset'])}. " if training.get("preset") else ""
    name, data = in_markdown(backbone.rstrip("/").split("/")[-1]), in_markdown(results["data"])
    return _TEMPLATE.format(
        title=f"{name}, exiting early on {data}",
        backbone=name,
        layers=layers,
        which=exits_in_words(model.task, f"its {layers} layers"),
        data=data,
        criterion=str(model.config.criterion),
        rows=results["rows"],
        metric=results["metric"],
        score=results["score"],
        full=results["full_depth_score"],
        saved=time_saved(results["speedup"]),
        repeats=len(results["speedup_repeats"]),
        mean=results["mean_exit_layer"],
        avg=results["avg"],
        best=results["best"],
        exits="\n".join(rows),
        certificate=certificate_section(model.certificate),
        made=f"Training took {training['seconds'] / 60:.1f} minutes, without the search. {preset}Settings: {shown}.",
        versions=", ".join(f"{name} {version}" for name, version in versions().items()),
    )


def certificate_section(certificate: Certificate | None) -> str:
    """What a card says of the certificate, between marks; nothing where there is none."""
    if certificate is None:
        return ""
    lines = (
        "## What is promised of early answers",
        "",
        in_markdown(certificate.sentence()),
        "",
        f"It holds while texts leave by `{certificate.exits}`, for texts like those of the calibration "
        f"({certificate.date}, {certificate.runtime}, {certificate.precision}, fingerprint "
        f"`{certificate.fingerprint}`); `leco verify` tests it on others. Figures here that name another criterion "
        "were measured with that.",
        "",
    )
    return "\n".join([BEGIN, *lines, END, "", ""])


def with_certificate(card: str, certificate: Certificate) -> str:
    """A card with the certificate in place of the one that it had, or else at its end."""
    before, begin, rest = card.partition(BEGIN)
    after = rest.partition(END)[2].removeprefix("\n\n")
    space = "" if begin else "\n"
    return f"{before}{space}{certificate_section(certificate)}{after}"


def _exit(architecture: Any) -> str:
    return str(architecture).replace("|", "→") if architecture.kind == "cell" else architecture.kind
