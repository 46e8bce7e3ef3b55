"""The search loop: alternating steps on weights and alphas, resumable after each epoch."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from leco.data import LengthGroupedBatches, TextDataset, collate
from leco.errors import LecoError, first_line, parameter
from leco.exits.architecture import Architecture
from leco.files import atomic_path
from leco.launcher import count, number
from leco.model.finite import check_finite
from leco.model.losses import exit_losses
from leco.problems import Problem
from leco.processes import alike, copy_first, drawing_alike, means, on_first, own_seed, weight_of
from leco.progress import progress_bar, say
from leco.search.bilevel import Loss, first_order_gradient, second_order_gradient
from leco.search.costs import costs_for
from leco.search.discretization import discretize
from leco.search.history import SearchHistory
from leco.search.model import SearchModel
from leco.search.options import SearchOptions
from leco.search.relaxations import Darts, Relaxation, entropy
from leco.training.optimizer import decay_groups
from leco.training.options import RunOptions

Inputs = dict[str, Tensor]


@dataclass(frozen=True)
class SearchSetup:
    """How a search runs: the settings that it shares with the training, its own, and the relaxation as an object."""

    run: RunOptions
    options: SearchOptions
    relaxation: Relaxation = field(default_factory=Darts)


@dataclass(frozen=True)
class SearchResult:
    """The architecture found for each layer, and how."""

    architectures: list[Architecture]
    history: SearchHistory


class Searcher:
    """Bi-level search with first- or second-order DARTS steps (sections 3.2 and 6.3).

    At the start of each epoch the training rows are split anew 1:1 into D1, for the weights, and D2, for the
    alphas. Each step first moves the alphas on a batch of D2, then the weights on a batch of D1. The alphas touch
    the exits alone, so a first-order step on them runs the backbone without gradients and without a graph. The
    alphas are judged as at inference: without dropout.

    Of several processes each has its share of every batch, draws the same candidates and takes the mean gradients.
    """

    def __init__(
        self,
        model: SearchModel,
        train: TextDataset,
        tokenizer: PreTrainedTokenizerBase,
        problem: Problem,
        setup: SearchSetup,
    ) -> None:
        copy_first(model)
        self.model, self.train, self.tokenizer, self.problem = model, train, tokenizer, problem
        self.run, self.options, self.relaxation = setup.run, setup.options, setup.relaxation
        options = setup.options
        self.progress = 0.0
        self.alphas = model.architecture_parameters()
        self.weights = list(model.weights().values())
        groups = decay_groups(
            model.weights(),
            rates={"backbone.": options.search_lr, "supernet.": options.search_exit_lr},
            weight_decay=options.search_weight_decay,
        )
        self.weight_optimizer = torch.optim.AdamW(groups, fused=True)
        self.alpha_optimizer = torch.optim.AdamW(
            self.alphas, lr=options.alpha_lr, weight_decay=options.alpha_weight_decay, betas=(0.5, 0.999)
        )
        self.costs, self.length = costs_for(options, model.space), float(np.median(train.lengths))
        self.history = SearchHistory.of(model.space)
        self._record()

    def search(self, checkpoint: Path, check: Callable[[], None] = lambda: None) -> SearchResult:
        """Search for all epochs, continuing from `checkpoint` if it is there; it is rewritten after each epoch.

        `check` is called before that, and may end the search with an error.
        """

        def store(epochs: int) -> None:
            check()
            self._store(checkpoint, epochs)

        with alike():
            done = self._restore(checkpoint)
        for epoch in range(done, self.options.search_epochs):
            self.run_epoch(epoch)
            on_first(partial(store, epoch + 1))
            alpha_loss = self.history.alpha_loss[-1]
            on_d2 = "the alphas wait" if alpha_loss is None else f"{alpha_loss:.4f} on D2"
            say(
                f"search epoch {epoch + 1}/{self.options.search_epochs}: loss {self.history.train_loss[-1]:.4f} on D1, "
                f"{on_d2}, {self.history.seconds[-1]:.0f} s"
            )
        return SearchResult(discretize(self._mixture(), self.model.space), self.history)

    def run_epoch(self, epoch: int) -> None:
        """One pass: half of the rows for the weights, the other half for the alphas; all for the weights to warm up."""
        started = time.perf_counter()
        torch.manual_seed(own_seed(self.run.seed * 100_003 + epoch))  # an epoch repeats exactly, whatever ran before it
        self.model.drop(lambda candidates: self.relaxation.kept(candidates, self.options.moved(epoch)))
        first, second = self._halves(epoch)
        warm_up = epoch < self.options.search_warmup
        train_rows = np.concatenate([first, second]) if warm_up else first
        steps = -(-len(train_rows) // self.run.batch_size)
        train_losses, alpha_losses = [], []
        description = f"search epoch {epoch + 1}/{self.options.search_epochs}"
        with progress_bar(description, total=steps) as advance:
            alpha_batches = repeat(None, steps) if warm_up else self._batches(second, epoch)
            batches = zip(self._batches(train_rows, epoch), alpha_batches, strict=True)
            for step, (train_batch, alpha_batch) in enumerate(batches):
                self.progress = (epoch + step / steps) / self.options.search_epochs
                if alpha_batch is not None:
                    alpha_losses.append(self.alpha_step(alpha_batch, train_batch))
                train_losses.append(self.weight_step(train_batch))
                self._check_finite(train_losses, alpha_losses, f"epoch {epoch + 1}, step {step + 1}")
                advance(1)
        self._record()
        self.history.train_loss.append(float(np.mean(train_losses)))
        self.history.alpha_loss.append(float(np.mean(alpha_losses)) if alpha_losses else None)
        self.history.seconds.append(time.perf_counter() - started)

    def weight_step(self, batch: Inputs) -> float:
        """One AdamW step of the backbone and the supernet on a batch of D1; returns the mean loss of the exits."""
        self.model.train()
        loss = self._loss(batch)
        loss.backward(inputs=self.weights)
        moved = [weight for weight in self.weights if weight.grad is not None]
        for weight, gradient in zip(moved, means([cast(Tensor, weight.grad) for weight in moved]), strict=True):
            weight.grad = gradient
        self.weight_optimizer.step()
        self.weight_optimizer.zero_grad()
        return self._mean_of_exits(loss)

    def alpha_step(self, batch: Inputs, train_batch: Inputs) -> float:
        """One AdamW step of the alphas on a batch of D2; the second-order step looks at a batch of D1 too."""
        self.model.eval()
        losses: list[Tensor] = []

        def loss() -> Tensor:
            losses.append(self._loss(batch, backbone_gradients=self.options.second_order))
            return self._penalized(losses[-1])

        def train_loss() -> Tensor:
            return self._loss(train_batch)

        if self.options.second_order:
            same = _same_draws()
            gradients = second_order_gradient(same(train_loss), same(loss), self.weights, self.alphas, self._rates())
        else:
            gradients = first_order_gradient(loss, self.alphas)
        for alpha, gradient in zip(self.alphas, gradients, strict=True):
            alpha.grad = gradient
        self.alpha_optimizer.step()
        self.alpha_optimizer.zero_grad()
        return self._mean_of_exits(losses[0])

    def _mean_of_exits(self, loss: Tensor) -> float:
        """The mean loss of the exits, of their sum over a batch."""
        return means([loss])[0].item() / self.model.supernet.num_layers

    def _check_finite(self, train_losses: list[float], alpha_losses: list[float], moment: str) -> None:
        """Raise LecoError where the last losses, or the weights and alphas after them, are not finite."""
        losses = {"the loss on D2": alpha_losses[-1:], "the loss on D1": train_losses[-1:]}
        weights = {f"the weight '{name}'": weight for name, weight in self.model.named_parameters()}
        values = {**{name: torch.tensor(loss) for name, loss in losses.items() if loss}, **weights}
        rates = f"{parameter('search_lr')}, {parameter('search_exit_lr')} and {parameter('alpha_lr')}"
        remedy = f"Give a lower {rates}, and another {parameter('output')}."
        check_finite(values, f"The search diverged in {moment}", remedy)

    def _rates(self) -> list[float]:
        """The learning rate of each of the weights."""
        groups = self.weight_optimizer.param_groups
        rates = {id(weight): float(group["lr"]) for group in groups for weight in group["params"]}
        return [rates[id(weight)] for weight in self.weights]

    def _loss(self, batch: Inputs, *, backbone_gradients: bool = True) -> Tensor:
        """The joint loss (eq. 1) of all exits of the supernet; of several processes the mean of theirs is that."""
        inputs = {name: value for name, value in batch.items() if name != "labels"}
        autocast = torch.autocast(inputs["input_ids"].device.type, torch.bfloat16, enabled=self.run.bf16)
        with autocast, nullcontext() if backbone_gradients else torch.no_grad():
            hidden = self.model.hidden_states(inputs)
        with drawing_alike(hidden.device):
            weights = self.relaxation.sample(self.model.live_alphas(), self.progress, dict(self.model.own))
            channels = self.relaxation.channels(self.model.space.width)
        logits = self.model(hidden, inputs, weights, None if channels is None else channels.to(hidden.device))
        return weight_of(batch["labels"]) * exit_losses(logits, batch["labels"], self.problem).sum()

    def _mixture(self) -> dict[str, Tensor]:
        with torch.no_grad():
            return self.relaxation.weights(self.model.live_alphas(), dict(self.model.own))

    def _expected_costs(self, weights: Mapping[str, Tensor]) -> Tensor | None:
        """The expected cost [M] of each layer's exit for a text of the median length; None where it is not known."""
        return None if self.costs is None else self.costs.expected(weights, self.model.space, self.length)

    def _record(self) -> None:
        """Write down the candidates' weights and the cost that they let expect."""
        weights = self._mixture()
        costs = self._expected_costs(weights)
        self.history.record(weights, None if costs is None else float(costs.mean()))

    def _penalized(self, loss: Tensor) -> Tensor:
        """The loss of the alphas with what the relaxation, the entropy of the weights and their cost add to it."""
        alphas = self.model.live_alphas()
        weights = self.relaxation.weights(alphas, dict(self.model.own))
        if self.options.entropy_penalty:
            loss = loss + self.options.entropy_penalty * entropy(weights).sum()
        costs = self._expected_costs(weights) if self.options.cost_penalty else None
        if costs is not None:
            loss = loss + self.options.cost_penalty * costs.sum()
        own = self.relaxation.penalty(alphas)
        return loss if own is None else loss + own

    def _halves(self, epoch: int) -> tuple[Any, Any]:
        """The rows of D1 and D2 in this epoch: two halves of the training rows, of the same size."""
        order = np.random.default_rng([self.run.seed, epoch]).permutation(len(self.train))
        half = len(order) // 2
        return order[:half], order[half : 2 * half]

    def _batches(self, rows: Any, epoch: int) -> Iterator[Inputs]:
        lengths = self.train.lengths
        order = LengthGroupedBatches(
            [lengths[row] for row in rows], self.run.batch_size, self.run.seed, share=number(), shares=count()
        )
        order.set_epoch(epoch)
        device = self.weights[0].device
        for batch in order:
            inputs = collate(self.tokenizer, [self.train[row] for row in rows[batch]])
            yield {name: value.to(device) for name, value in inputs.items()}

    def _store(self, path: Path, epochs: int) -> None:
        state = {
            "epochs": epochs,
            "model": self.model.state_dict(),
            "weight_optimizer": self.weight_optimizer.state_dict(),
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
            "history": self.history.to_dict(),
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def _restore(self, path: Path) -> int:
        """Take up the state in `path`; the number of epochs already done."""
        if not path.exists():
            return 0
        try:
            state: Mapping[str, Any] = torch.load(path, weights_only=True, map_location=self.weights[0].device)
            self.model.load_state_dict(state["model"])
            self.weight_optimizer.load_state_dict(state["weight_optimizer"])
            self.alpha_optimizer.load_state_dict(state["alpha_optimizer"])
            self.history = SearchHistory.from_dict(state["history"], f"'{path}'")
            done = range(self.options.search_epochs + 1)[state["epochs"]]
        except Exception as error:  # whatever the libraries raise
            raise LecoError(
                f"'{path}' is broken ({first_line(error)}). "
                "Delete it and repeat the command: it begins the search again."
            ) from error
        say(f"search: continuing after epoch {done}")
        return done


def _same_draws() -> Callable[[Loss], Loss]:
    """Makes losses draw, whenever they are called and on any device, what would be drawn now."""
    processor, devices = torch.get_rng_state(), torch.cuda.get_rng_state_all()

    def drawing(loss: Loss) -> Loss:
        def again() -> Tensor:
            torch.set_rng_state(processor)
            torch.cuda.set_rng_state_all(devices)
            return loss()

        return again

    return drawing
