"""The settings of a run and of the training in it."""

from dataclasses import dataclass

from leco.devices import AUTO, DEVICE_HELP
from leco.options import option, validate

EQUAL, BALANCED = "equal", "balanced"


@dataclass(frozen=True)
class RunOptions:
    """What search and training share."""

    seed: int = option(
        0, "Seed of initialization, order and dropout; a whole number from 0.", minimum=0, maximum=2**32 - 1
    )
    layers: int | None = option(None, "Use the encoder's first so many layers only; by default all.", minimum=1)
    batch_size: int = option(32, "Texts per step; several processes share them.", minimum=1)
    max_length: int = option(128, "Tokens to which texts are cut, special tokens included.", minimum=4)
    bf16: bool = option(False, "Run the backbone in bfloat16 autocast where the device has it.")
    device: str = option(AUTO, DEVICE_HELP, identifies=False)
    train_rows: int | None = option(
        None, "Train on a stratified sample of this many rows; by default on all.", minimum=10
    )
    calibration_share: float | None = option(
        None,
        "Share of the training rows (of glue/TASK: of dev) that is set aside to say what early answers cost, 0 to 0.5; "
        "by default a tenth of a file that is cut, if that is 114 rows.",
        minimum=0,
        maximum=0.5,
    )
    width: int | None = option(None, "Width d_e of learned exits; by default the search space's own.", minimum=1)
    standardize: bool = option(
        False,
        "Exits are trained on standardized hidden states; it costs nothing afterwards, when it is in their weights.",
    )
    metric: str | None = option(
        None,
        "Score by which checkpoint and criterion are chosen, by default the task's: accuracy, macro-f1, f1, matthews; "
        "micro-f1; r2 (or rmse), d2-absolute-error (or mae), pearson-spearman.",
    )
    class_weights: str = option(
        EQUAL,
        "In the loss: equal for all texts, or balanced, so that rare labels count as much as frequent ones.",
        choices=(EQUAL, BALANCED),
    )
    exit_dropout: float = option(0.1, "Dropout in front of each exit's last layer, 0 to 1.", minimum=0, maximum=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class TrainingOptions:
    """How a multi-exit model is trained (sections 3.1 and 6.3)."""

    strategy: str = option("joint", "Training strategy, with settings if need be: alternating:per_step=true.")
    epochs: int = option(
        10,
        "Passes over the training rows; the one with the best dev AVG is kept. With more a finished run goes on.",
        minimum=1,
    )
    early_stopping: int | None = option(
        None, "End after so many epochs in which the dev score did not rise; by default never.", minimum=1
    )
    lr: float = option(2e-5, "Peak learning rate of the backbone.", above=0)
    exit_lr: float = option(2e-5, "Peak learning rate of the exits.", above=0)
    weight_decay: float = option(0.01, "AdamW's decay of matrices; biases and norms have none.", minimum=0)
    warmup: float = option(
        0.1,
        "Share of the steps in which the rate rises, before it falls linearly to 0; below 1.",
        minimum=0,
        below=1,  # Transformers would take it for a number of steps
    )
    report_to: str = option("none", "Logger that Transformers' Trainer reports to: tensorboard, wandb, mlflow, ...")
    gradient_accumulation: int = option(1, "Batches per step.", minimum=1)

    def __post_init__(self) -> None:
        validate(self)
