"""A Transformers Trainer for multi-exit models, and the phases of a training run with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import EvalPrediction, PrinterCallback, Trainer, TrainerCallback, TrainerState, TrainingArguments
from transformers.training_args import ParallelMode

from leco.data import LengthGroupedBatches, TextDataset, collate, score
from leco.launcher import count, number
from leco.model import MultiExitModel
from leco.model.finite import check_finite
from leco.processes import is_lost, means, on_first, own_seed, wait_for_all, weight_of
from leco.training.callbacks import Bar, EarlyStopping, FiniteWeights, diverged, epoch_rows, slower
from leco.training.checkpoints import Checkpoints, beginning_again, check_complete, last_checkpoint
from leco.training.log import TrainingLog
from leco.training.optimizer import decay_groups
from leco.training.options import RunOptions, TrainingOptions
from leco.training.strategies import Phase, Strategy, TrainingStep


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

    def __init__(self, model: MultiExitModel, strategy: Strategy, phase: Phase, done: int, **kwargs: Any) -> None:
        self.strategy, self.phase, self.done, self.num_exits = strategy, phase, done, len(model.exits)
        self.stepped = False
        self.early_stopping: EarlyStopping | None = None
        tokenizer = model.tokenizer
        super().__init__(model=model, data_collator=lambda rows: collate(tokenizer, rows), **kwargs)
        if count() > 1:  # dropout is each process's own
            torch.manual_seed(own_seed(self.args.seed))

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of similar length, in an order that seed and epoch fix; of several processes each has a share."""
        dataset = cast(TextDataset, self.train_dataset)
        batches = LengthGroupedBatches(
            dataset.lengths, self.args.train_batch_size, seed=self.args.seed, share=number(), shares=count()
        )
        loader: DataLoader[Any] = DataLoader(dataset, batch_sampler=batches, collate_fn=self.data_collator)
        if count() == 1:
            return self.accelerator.prepare(loader)
        # accelerate would deal out whole batches, and drop or repeat rows where one of them is smaller
        return prepare_data_loader(loader, self.args.device, num_processes=1, process_index=0, put_on_device=True)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """Write the weights into a checkpoint as they are trained, standardization apart."""
        assert self.model is not None
        super()._save(output_dir, self.model.state_dict() if state_dict is None else state_dict)

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
        self.stepped = True
        output = self.strategy.forward(model, inputs, self.num_exits)
        step, steps = self.state.global_step, self.state.max_steps
        current = TrainingStep(self.phase, self.done + int(self.state.epoch or 0), step, progress=step / steps)
        loss = self.strategy.loss(model, output, inputs["labels"], current)
        doubt_loss = self.strategy.doubt_loss(model, output, inputs["labels"])
        weight, names = weight_of(inputs["labels"]), ("the loss of the exits", "the loss of the meta-classifier")
        of_all = means([weight * loss, weight * doubt_loss])
        where = f"The {self.phase.name} diverged in epoch {current.epoch + 1}, step {current.step + 1}"
        check_finite(dict(zip(names, of_all, strict=True)), where, slower())
        return weight * (loss + doubt_loss)

    def _load_best_model(self) -> None:
        """The weights of the best epoch; without its checkpoint Transformers would go on with those of the last."""
        best = Path(cast(str, self.args.output_dir), Path(cast(str, self.state.best_model_checkpoint)).name)
        check_complete(best)
        self.state.best_model_checkpoint = str(best)  # it says another place where the run's folder has been moved
        super()._load_best_model()


@dataclass(frozen=True)
class TrainingData:
    """What a model is trained on, and the split and metric by which the best epoch is chosen."""

    train: TextDataset
    dev: TextDataset
    metric: str


@dataclass(frozen=True)
class TrainingSetup:
    """How a training runs: the settings that it shares with the search, its own, and the strategy as an object.

    `done` epochs of each phase, by its name, another training has had, whose model it goes on with.
    """

    run: RunOptions
    options: TrainingOptions
    strategy: Strategy
    done: Mapping[str, int] = field(default_factory=dict)

    def had(self, phase: Phase) -> int:
        """The epochs of a phase that are done."""
        return self.done.get(phase.name, 0)

    def left(self, phase: Phase) -> int:
        """The epochs of a phase that this training is to do."""
        return self.options.epochs - self.had(phase)


def train_phases(
    model: MultiExitModel,
    data: TrainingData,
    setup: TrainingSetup,
    folder: Path,
    callbacks: Sequence[TrainerCallback] = (),
) -> TrainingLog:
    """Train `model` in place, phase by phase, and leave it with the weights that scored best on dev.

    State goes to `folder`, from which a killed run continues when called again with the same arguments; it ends
    with the same weights as one that was never interrupted. The caller removes the folder. Of several processes each
    has its share of a batch, and all end with the same weights.
    """
    rows: list[dict[str, Any]] = []
    for phase in setup.strategy.phases(len(model.exits)):
        trainer = _trainer(model, phase, data, setup, folder / phase.name, callbacks)
        resume(trainer, on_first(partial(last_checkpoint, folder / phase.name)))
        rows += [{"phase": phase.name, **row} for row in epoch_rows(trainer.state.log_history)]
    wait_for_all()  # each has read the best weights from `folder`
    model.requires_grad_(True)
    return TrainingLog.of(rows, setup.options.epochs)


def resume(trainer: MultiExitTrainer, checkpoint: Path | None) -> None:
    """Train, from `checkpoint` on if there is one; LecoError where it is broken, which shows before the first step."""
    if checkpoint is None:
        trainer.train()
        return
    with beginning_again(checkpoint):
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    if trainer.early_stopping is not None and trainer.early_stopping.is_over(trainer.args, state):
        trainer.args.num_train_epochs = round(state.epoch or 0)  # all that there will be
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint))
    except Exception as error:
        if trainer.stepped or is_lost(error):
            raise
        with beginning_again(checkpoint):
            raise


def _trainer(
    model: MultiExitModel,
    phase: Phase,
    data: TrainingData,
    setup: TrainingSetup,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
) -> MultiExitTrainer:
    phase.freeze(model)
    run, options = setup.run, setup.options
    device = model.device
    groups = decay_groups(
        dict(model.named_parameters()),
        rates={"backbone.": options.lr, "exits.": options.exit_lr, "meta.": options.exit_lr},
        weight_decay=options.weight_decay,
    )
    arguments = OneDevice(
        output_dir=str(folder),
        num_train_epochs=setup.left(phase),
        per_device_train_batch_size=run.batch_size,
        per_device_eval_batch_size=64,
        gradient_accumulation_steps=options.gradient_accumulation,
        warmup_steps=options.warmup,
        lr_scheduler_type="linear",
        max_grad_norm=1.0,
        bf16=run.bf16,
        use_cpu=device.type == "cpu",
        seed=(run.seed + setup.had(phase)) % 2**32,
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
        ddp_find_unused_parameters=True,  # what a strategy leaves out differs from step to step
        ddp_broadcast_buffers=False,  # none changes
        chosen=str(device),
    )
    problem, layers = model.task.problem, model.task.exit_layers

    def scores(prediction: EvalPrediction) -> dict[str, float]:
        _, logits, _ = cast(tuple[Any, ...], prediction.predictions)  # [N, K], [N, E, K] and the doubts
        by_layer = {
            f"what the exit on layer {layer} says on dev": torch.from_numpy(logits[:, place])
            for place, layer in enumerate(layers)
        }
        check_finite(by_layer, diverged(phase.name, trainer.state), slower())
        predictions = problem.predictions(problem.scores(logits))  # [N, E], or [N, E, K] for many labels
        by_exit = [score(data.metric, prediction.label_ids, predictions[:, place]) for place in range(len(layers))]
        return {"avg": float(np.mean(by_exit)), "best": max(by_exit), "last": by_exit[-1]} | {
            f"exit_{layer}": value for layer, value in zip(layers, by_exit, strict=True)
        }

    trainer = MultiExitTrainer(
        model,
        setup.strategy,
        phase,
        setup.had(phase),
        args=arguments,
        train_dataset=data.train,
        eval_dataset=data.dev,
        compute_metrics=scores,
        optimizers=(torch.optim.AdamW(groups, fused=True), None),
        callbacks=[Bar(phase.name, setup.had(phase)), FiniteWeights(phase.name), Checkpoints(), *callbacks],
    )
    trainer.remove_callback(PrinterCallback)
    if options.early_stopping is not None:
        trainer.early_stopping = EarlyStopping(options.early_stopping)
        trainer.add_callback(trainer.early_stopping)
    return trainer
