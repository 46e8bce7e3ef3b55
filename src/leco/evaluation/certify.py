"""From texts that are new to a predictor to a certificate of its early answers."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import nan

import numpy as np

from leco.calibration import (
    DISAGREEMENT,
    LOSSES,
    RULES,
    CalibrationOptions,
    Certificate,
    Order,
    Rule,
    Tried,
    bound_of,
    percent,
    rows_needed,
    select,
)
from leco.criteria import Criterion, as_criterion
from leco.data import Split
from leco.data.splits import cut
from leco.environment import versions
from leco.errors import LecoError, parameter
from leco.evaluation.contest import kinds_named
from leco.evaluation.kept import Kept
from leco.evaluation.ordering import along_one_knob, judged_by_full_depth, order_on
from leco.evaluation.speedup import OperatingPoint, measure_speedups
from leco.evaluation.tokens import tokens
from leco.evaluation.trials import Trials
from leco.progress import say
from leco.runtime import GivesAllExits, Predictor
from leco.runtime.predictor import INT8_OF_BEFORE
from leco.sketches import FEW, sketch

Chains = Mapping[str, Sequence[Criterion]]
Log = Callable[[str], None]
PILOT = 5
"""Of so many texts one is set apart to order settings, or to see what they save."""
TIMED = 50
"""Texts of these that are timed."""


@dataclass(frozen=True)
class Calibration:
    """A calibration: of which predictor, on which texts, by which settings, to what end.

    Attributes:
        predictor: it stays as it is.
        name, split: the calibration texts.
        options: what is to be certified.
        criterion: "auto", the name of a kind of criterion, one with its settings, or None, the predictor's own kind.
        order: the settings in an order that was fixed before, where there is one.
        kept: where outputs are kept until all is done.
        log: takes lines for the user.

    """

    predictor: Predictor
    name: str
    split: Split
    options: CalibrationOptions
    kept: Kept = field(default_factory=Kept)
    criterion: str | None = None
    order: Order | None = None
    log: Log = say

    def certificate(self) -> Certificate:
        """The certificate; LecoError where the texts can certify nothing, or the goal cannot be reached."""
        self._check_precision()
        options = self.options
        goal = options.target_speedup is not None or options.budget_ms is not None
        chains = self._chains()
        pilot, rest = (None, self.split) if chains is not None and not goal else self._cut()
        if chains is None:
            assert pilot is not None
            chains = self._ordered_on(pilot)
        if not goal:
            self._check_rows(len(rest), max(len(chains), 1))
        trials = self._trials(rest)
        if goal:
            assert pilot is not None
            chosen, bound = self._least_risky(self._reaching(chains, pilot), trials)
        else:
            found = select(self._rule, chains, trials.attempt, options.bound, options.delta) if chains else None
            chosen, bound = found or self._full_depth(trials), options.bound
        return self._certificate(chosen, bound, trials, sum(map(len, chains.values())))

    def statement(self) -> Certificate:
        """The certificate of the predictor's own criterion, with the bound that the texts allow."""
        self._check_precision()
        trials = self._trials(self.split)
        tried = trials.attempt(self.predictor.criterion)
        bound = bound_of(self._rule, tried.losses, self.options.delta)
        return self._certificate(tried, bound, trials, 1)

    def _check_precision(self) -> None:
        if self.predictor.precision in INT8_OF_BEFORE:
            raise LecoError(
                "In this int8 file of before answers depend on the batch that a text is in, or on the processor, so "
                "that no promise about them can be kept. Export the model again."
            )

    @property
    def _rule(self) -> Rule:
        return RULES[self.options.method]

    def _trials(self, split: Split) -> Trials:
        return Trials(self.predictor, split, LOSSES[self.options.loss], self.kept)

    def _chains(self) -> Chains | None:
        """The settings in their order; None where texts must be set apart to find one."""
        predictor = self.predictor
        if self.criterion is not None and ":" in self.criterion:
            given = as_criterion(self.criterion, predictor.criterion)
            given.check(predictor.task)
            return {given.name: [given]}
        if not isinstance(predictor, GivesAllExits):
            own = predictor.criterion
            if self.criterion not in (None, own.name):
                raise LecoError(f"{parameter('criterion')}: a file has its own alone, '{own.name}'.")
            return {own.name: chain} if (chain := along_one_knob(own, predictor.task)) else {}
        names = [kind.name for kind in self._kinds()]
        if self.order is None or any(name not in self.order.chains for name in names):
            return None
        return {name: [step.exits for step in self.order.chains[name]] for name in names}

    def _kinds(self) -> list[type[Criterion]]:
        """The kinds of criteria whose settings are tried."""
        wanted = kinds_named(self.criterion or self.predictor.criterion.name)
        fitting = [kind for kind in wanted if self.predictor.task.problem_type in kind.problem_types]
        if not fitting:
            wanted[0]().check(self.predictor.task)
        return fitting

    def _cut(self) -> tuple[Split, Split]:
        """The texts that fix the order of settings or what they save, and those that certify."""
        pilot, rest = cut(self.split, [max(len(self.split) // PILOT, 1)], 0)
        self.log(f"{len(pilot):,} of the texts are set apart to order the settings; the other {len(rest):,} certify.")
        return pilot, rest

    def _ordered_on(self, pilot: Split) -> Chains:
        trials = self._trials(pilot)
        stored = trials.stored if trials.loss.labelled else judged_by_full_depth(trials.stored)
        order = order_on(stored, self._kinds(), self.predictor.task, self.name)
        return {name: [step.exits for step in steps] for name, steps in order.chains.items()}

    def _check_rows(self, rows: int, chains: int) -> None:
        """Say what so many texts can certify; LecoError where that is nothing."""
        options, rule = self.options, self._rule
        bound, delta = rule.share(options.bound, options.delta, chains)
        needed = rows_needed(rule, bound, delta)
        promise = percent(options.bound) + (
            f" at {percent(options.confidence, least=True)} confidence" if rule.confident else ""
        )
        if rows < needed:
            raise LecoError(
                f"{parameter('data')} '{self.name}' has {rows:,} texts that can certify, but {promise} takes at least "
                f"{needed:,} without an error. Give more texts, or a larger {parameter('max_drop')}; the model is left "
                "as it is."
            )
        refused = bisect_left(range(rows + 1), True, key=lambda errors: not _passes(rule, rows, errors, bound, delta))
        texts = f"; these {rows:,} allow {refused - 1:,} errors" if refused else ""
        self.log(f"To certify {promise} takes at least {needed:,} texts without an error{texts}.")

    def _full_depth(self, trials: Trials) -> Tried:
        self.log("Nothing earlier than full depth can be certified on these texts: the model answers at full depth.")
        return trials.attempt(self.predictor.full_depth)

    def _reaching(self, chains: Chains, pilot: Split) -> list[Criterion]:
        """Of each order the first setting that reaches the goal on texts that do not certify."""
        trials, reached = self._trials(pilot), []
        measured = {name: self._measured(chain, trials) for name, chain in chains.items()}
        reached = [
            next(one for one, value in zip(chains[name], values, strict=True) if value >= 1)
            for name, values in measured.items()
            if max(values, default=0) >= 1
        ]
        if not reached:
            most = max((value for values in measured.values() for value in values), default=0.0)
            goal = "target_speedup" if self.options.target_speedup is not None else "budget_ms"
            raise LecoError(
                f"{parameter(goal)} {getattr(self.options, goal):g} is out of reach: the fastest setting comes to "
                f"{percent(most)} of it. Give another goal, or another {parameter('criterion')}."
            )
        return reached

    def _measured(self, chain: Sequence[Criterion], trials: Trials) -> list[float]:
        """How far each setting comes: 1 is the goal."""
        layers = [trials.decisions(criterion).exit_layers for criterion in chain]
        if self.options.target_speedup is not None:
            shares = [one.mean() / self.predictor.num_layers for one in layers]  # 0 where no text needs a layer
            return [1 / max(share * self.options.target_speedup, 1e-9) for share in shares]
        assert self.options.budget_ms is not None
        points = [OperatingPoint.by(one, nan, left) for one, left in zip(chain, layers, strict=True)]
        found = measure_speedups(self.predictor, tokens(self.predictor, trials.split), points, repeats=3, timed=TIMED)
        return [self.options.budget_ms / (1000 * one.seconds) for one in found]

    def _least_risky(self, reaching: Sequence[Criterion], trials: Trials) -> tuple[Tried, float]:
        """Of some settings that with the lowest bound, of which each has its share."""
        tried = [trials.attempt(criterion) for criterion in reaching]
        bounds = [bound_of(self._rule, one.losses, self.options.delta, len(tried)) for one in tried]
        best = int(np.argmin(bounds))
        return tried[best], bounds[best]

    def _certificate(self, chosen: Tried, bound: float, trials: Trials, settings: int) -> Certificate:
        options, predictor = self.options, self.predictor
        agreeing = replace(trials, loss=LOSSES[DISAGREEMENT]).attempt(chosen.criterion)
        same = options.loss == DISAGREEMENT and self._rule.confident
        return Certificate(
            criterion=chosen.criterion.to_dict(),
            runtime=predictor.runtime,
            precision=predictor.precision,
            loss=options.loss,
            bound=bound,
            disagreement=bound if same else bound_of(RULES["ltt"], agreeing.losses, options.delta, max(settings, 1)),
            confidence=options.confidence if self._rule.confident else None,
            method=options.method,
            rows=len(trials.split),
            errors=float(chosen.losses.sum()),
            mean_exit_layer=float(chosen.exit_layers.mean()),
            settings=settings,
            data=self.name,
            fingerprint=self.split.fingerprint,
            seen=sketch(self.split.texts, FEW),
            unit=None if predictor.problem.has_names else predictor.problem.statistics.std,
            versions=versions(),
            date=date.today().isoformat(),
        )


def _passes(rule: Rule, rows: int, errors: int, bound: float, delta: float) -> bool:
    """Whether a rule allows so many errors of 0 and 1."""
    return bool(rule.passes((np.arange(rows) < errors)[None], bound, delta)[0])
