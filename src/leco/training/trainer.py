"""A Transformers Trainer for multi-exit models, and the phases of a training run with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import EvalPrediction, PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.training_args import ParallelMode

from leco.data import LengthGroupedBatches, TextDataset, collate, predictions_of, score
from leco.model import MultiExitModel, scores_of
from leco.training.callbacks import Bar, Checkpoints, epoch_rows, last_checkpoint
from leco.training.optimizer import decay_groups
from leco.training.options import RunOptions, TrainingOptions
from leco.training.strategies import Moment, Phase, Strategy, parse_strategy


@dataclass(frozen=True)
class TrainingLog:
    """What a training did: one row for each epoch of each phase, with the dev scores of all exits."""

    epochs: list[dict[str, Any]]

    @property
    def seconds(self) -> float:
        """The duration of all epochs together."""
        return float(sum(row["seconds"] for row in self.epochs))

    @property
    def cpu_seconds(self) -> float:
        """The processor's time for them, over all threads: what other work on the machine hardly changes."""
        return float(sum(row["cpu_seconds"] for row in self.epochs))


@dataclass
class OneDevice(TrainingArguments):
    """Training arguments for one process on the `chosen` device; of several processes each has the one it is given."""

    chosen: str = "cpu"

    @cached_property
    def _setup_devices(self) -> torch.device:
        device: torch.device = super()._setup_devices
        if self.parallel_mode == ParallelMode.DISTRIBUTED:
            return device
        self._n_gpu = min(self._n_gpu, 1)  # no second GPU beside it
        chosen = torch.device(self.chosen)
        if chosen.type == "cuda":
            torch.cuda.set_device(chosen)
        return chosen


class MultiExitTrainer(Trainer):
    """Trains a multi-exit model by a strategy: batches of texts of similar length, the strategy's loss and phases."""

    def __init__(self, model: MultiExitModel, strategy: Strategy, phase: Phase, run: RunOptions, **kwargs: Any) -> None:
        self.strategy, self.phase, self.run_options, self.num_layers = strategy, phase, run, len(model.exits)
        tokenizer = model.tokenizer
        super().__init__(model=model, data_collator=lambda rows: collate(tokenizer, rows), **kwargs)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of similar length, in an order that seed and epoch fix."""
        dataset = cast(TextDataset, self.train_dataset)
        batches = LengthGroupedBatches(dataset.lengths, self.args.train_batch_size, seed=self.run_options.seed)
        loader: DataLoader[Any] = DataLoader(dataset, batch_sampler=batches, collate_fn=self.data_collator)
        return self.accelerator.prepare(loader)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The strategy's loss and the meta-classifier's own; in an evaluation the joint loss of all exits."""
        if not model.training:
            output = model(**inputs)
            return (output.loss, output) if return_outputs else output.loss
        output = self.strategy.forward(model, inputs, self.num_layers)
        moment = Moment(self.phase, epoch=int(self.state.epoch or 0), step=self.state.global_step)
        loss = self.strategy.loss(model, output, inputs["labels"], moment)
        return loss + self.strategy.doubt_loss(model, output, inputs["labels"])


def train_phases(
    model: MultiExitModel,
    train_data: TextDataset,
    dev_data: TextDataset,
    metric: str,
    run: RunOptions,
    options: TrainingOptions,
    folder: Path,
    callbacks: Sequence[TrainerCallback] = (),
) -> TrainingLog:
    """Train `model` in place, phase by phase, and leave it with the weights that scored best on dev.

    State goes to `folder`, from which a killed run continues when called again with the same arguments; it ends
    with the same weights as one that was never interrupted. The caller removes the folder.
    """
    strategy = parse_strategy(options.strategy)
    rows: list[dict[str, Any]] = []
    for phase in strategy.phases(len(model.exits)):
        trainer = _trainer(
            model, strategy, phase, train_data, dev_data, metric, run, options, folder / phase.name, callbacks
        )
        trainer.train(resume_from_checkpoint=last_checkpoint(folder / phase.name))
        rows += [{"phase": phase.name, **row} for row in epoch_rows(trainer.state.log_history)]
    model.requires_grad_(True)
    return TrainingLog(rows)


def _trainer(
    model: MultiExitModel,
    strategy: Strategy,
    phase: Phase,
    train_data: TextDataset,
    dev_data: TextDataset,
    metric: str,
    run: RunOptions,
    options: TrainingOptions,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
) -> MultiExitTrainer:
    phase.freeze(model)
    device = model.device
    groups = decay_groups(
        dict(model.named_parameters()),
        rates={"backbone.": options.lr, "exits.": options.exit_lr, "meta.": options.exit_lr},
        weight_decay=options.weight_decay,
    )
    arguments = OneDevice(
        output_dir=str(folder),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=run.batch_size,
        per_device_eval_batch_size=64,
        gradient_accumulation_steps=options.gradient_accumulation,
        warmup_steps=options.warmup,
        lr_scheduler_type="linear",
        max_grad_norm=1.0,
        bf16=run.bf16,
        use_cpu=device.type == "cpu",
        seed=run.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model=phase.selects,
        greater_is_better=True,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=options.report_to,
        dataloader_pin_memory=False,
        chosen=str(device),
    )
    problem_type = model.config.problem_type

    def scores(prediction: EvalPrediction) -> dict[str, float]:
        _, logits, _ = cast(tuple[Any, ...], prediction.predictions)  # [N, K], [N, M, K] and the doubts
        outputs = scores_of(torch.from_numpy(logits), problem_type).numpy()
        by_exit = [
            score(metric, prediction.label_ids, predictions_of(problem_type, outputs[:, m]))
            for m in range(outputs.shape[1])
        ]
        return {"avg": float(np.mean(by_exit)), "best": max(by_exit), "last": by_exit[-1]} | {
            f"exit_{layer}": value for layer, value in enumerate(by_exit, start=1)
        }

    trainer = MultiExitTrainer(
        model,
        strategy,
        phase,
        run,
        args=arguments,
        train_dataset=train_data,
        eval_dataset=dev_data,
        compute_metrics=scores,
        optimizers=(torch.optim.AdamW(groups, fused=True), None),
        callbacks=[Bar(phase.name), Checkpoints(), *callbacks],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
