"""The multi-exit model: a backbone with a classifier on each layer, or on some.

Shapes: B batch, L tokens, M layers, E exits (as many, unless some layers have none), K outputs, d hidden.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.generic import ModelOutput

from leco.calibration import Certificate
from leco.configuration import LecoConfig
from leco.criteria import DOUBTS, EVIDENCE, Criterion, Observed, Task, exit_places
from leco.data import Encoding, without_limits
from leco.display import listed
from leco.errors import LecoError
from leco.exits.architecture import ExitArchitecture, PastFutureArchitecture
from leco.exits.modules import build_exits
from leco.exits.operations import in_float32
from leco.exits.standardize import StateStatistics
from leco.model.backbones import backbone_for, walk
from leco.model.encoding import TokenizerMixin
from leco.model.losses import exit_losses
from leco.model.pretrained import load_tokenizer
from leco.model.stages import ModelStages
from leco.provenance import Provenance
from leco.runtime import Decisions, PredictorMixin, decide
from leco.runtime.engine import batches_by_length
from leco.runtime.predictor import ignore

Fork = Callable[[int, Tensor], tuple[Tensor, Tensor]]
"""From an exit's number, counted from 1, and its layer's state [B, L, d] to what it and what the next layer get."""


@dataclass
class MultiExitOutput(ModelOutput):
    """What the model returns.

    Attributes:
        loss: the sum of all exits' losses (eq. 1), where labels are given.
        logits: the last exit's logits [B, K]; for a regression its values, in their unit.
        logits_by_row: every exit's logits [B, E, K]; rows come first, so that whatever splits batches can split it.
        doubts_by_row: the meta-classifier's doubt [B, E] about every exit.
        cls_by_row: the [CLS] state [B, E, d] of every exit's layer, where it is asked for.

    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    logits_by_row: Tensor | None = None
    doubts_by_row: Tensor | None = None
    cls_by_row: Tensor | None = None

    @property
    def exit_logits(self) -> Tensor:
        """Every exit's logits [E, B, K], the lowest layer's first."""
        assert self.logits_by_row is not None
        return self.logits_by_row.transpose(0, 1)


class MultiExitModel(TokenizerMixin, PredictorMixin, PreTrainedModel):
    """A Transformers encoder with an exit on each layer (or on some), a `leco.runtime.Predictor` that gives all exits.

    `MultiExitModel.from_pretrained(DIR)` loads a trained one; `model.predict(texts)` exits early. Called like any
    Transformers model, it runs at full depth and returns every exit's logits (`MultiExitOutput`).
    `MultiExitModel(config)` is one with random weights, or on a `backbone` that is loaded.

    >>> import leco
    >>> model = leco.MultiExitModel.from_pretrained("reviews-model")
    >>> output = model(torch.tensor([[2, 5, 3]]))  # [B, L]
    >>> list(output.exit_logits.shape)  # [E, B, K]
    [3, 1, 2]
    """

    config_class = LecoConfig
    base_model_prefix = "backbone"
    supports_gradient_checkpointing = False
    accepts_loss_kwargs = False
    _supports_sdpa = True
    _supports_flash_attn = True

    config: LecoConfig

    def __init__(self, config: LecoConfig, backbone: PreTrainedModel | None = None) -> None:
        """Build the model of `config`; `backbone` is a loaded encoder to use in place of one with random weights.

        Raises LecoError where the family is unknown, the architectures are not one for each layer that has an exit, or
        they do not go together.
        """
        super().__init__(config)
        family = backbone_for(config.backbone_config)
        num_layers = family.num_layers(config.backbone_config)
        if Task(1, num_layers, exit_layers=config.named_layers).num_exits != len(config.exits):
            layers = f", of which {listed([*map(str, config.named_layers)])} have an exit" if config.exit_layers else ""
            raise LecoError(
                f"The backbone has {num_layers} layers{layers}, but {len(config.exits)} exit architectures are given."
            )
        if backbone is None:
            backbone = AutoModel.from_config(config.backbone_config, trust_remote_code=False)
        self.backbone = backbone
        family.strip(self.backbone)
        hidden_size = family.hidden_size(config.backbone_config)
        self.exits = build_exits(config.exits, hidden_size, config.num_labels, config.exit_dropout)
        self.meta = nn.Linear(hidden_size, 1)
        self._tokenizer: PreTrainedTokenizerBase | None = None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Exits keep the initialization of their own modules; the backbone has its own."""

    @property
    def task(self) -> Task:
        """What criteria need to know of this model."""
        return self.config.task

    @property
    def trained_on(self) -> Provenance | None:
        """The data of the training and how they are read, where that is known."""
        return self.config.provenance

    @property
    def label_names(self) -> list[str]:
        """The outputs' names [K]."""
        return self.config.label_names

    @property
    def criterion(self) -> Criterion:
        """The exit criterion that was chosen for this model; full depth where none was."""
        return self.config.criterion

    @property
    def certificate(self) -> Certificate | None:
        """What is promised of the answers by the criterion that was chosen, where something is."""
        return self.config.certified

    @property
    def precision(self) -> str:
        """In which precision the layers are computed."""
        return str(self.backbone.dtype).removeprefix("torch.")

    @property
    def dtype(self) -> torch.dtype:
        """The widest type of its weights, in which it is loaded where it was saved: the exits', after `prepare`."""
        kinds = {parameter.dtype for parameter in self.parameters() if parameter.is_floating_point()}
        return max(kinds, key=lambda one: torch.finfo(one).bits)

    @property
    def exit_architectures(self) -> list[ExitArchitecture]:
        """The architecture of each exit, the lowest layer's first."""
        return self.config.exits

    @property
    def exit_parameters(self) -> list[int]:
        """The number of parameters of each exit."""
        return [sum(parameter.numel() for parameter in exit_.parameters()) for exit_ in self.exits]

    @property
    def max_length(self) -> int:
        """The number of tokens to which texts are cut, special tokens included."""
        longest = backbone_for(self.config.backbone_config).max_length(self.config.backbone_config)
        return min(self.config.max_tokens or longest, longest)

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer: the one set, or else the one in the folder from which the model was loaded.

        Raises LecoError where there is neither.
        """
        if self._tokenizer is None:
            if not self.name_or_path:
                raise LecoError("This model was not loaded from a folder: set `model.tokenizer` before texts are used.")
            self._tokenizer = load_tokenizer(str(self.name_or_path), self.config.backbone_config)
        return self._tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = without_limits(tokenizer)

    def doubts(self, cls_states: Tensor, layers: Sequence[int]) -> Tensor:
        """The meta-classifier's doubts [B, E] about the exits on these layers [E], which have these [CLS] states.

        `cls_states` are [B, E, d]. On the embeddings, layer 0, all texts have the same one: there its doubt is 1.
        """
        with in_float32(cls_states):
            doubts = self.meta(cls_states.detach().to(self.meta.weight.dtype)).squeeze(-1).sigmoid()
        if 0 in layers:
            doubts = doubts.masked_fill(torch.tensor([layer == 0 for layer in layers], device=doubts.device), 1.0)
        return doubts

    def keep_exits(self, layers: Sequence[int]) -> None:
        """Drop all exits but those on these layers; the last layer keeps its own, and all weights stay as they are.

        The criterion was chosen for other exits, and what is certified of it held for them: the model is at full depth.
        LecoError for layers that have no exit, or not the last one, and where exits know each other.
        """
        before = self.task.exit_layers
        if missing := [layer for layer in layers if layer not in before]:
            raise LecoError(f"Layer {missing[0]} has no exit to keep: those on {listed([*map(str, before)])} have one.")
        task = replace(self.task, exit_layers=tuple(layers) or (0,))
        places = exit_places(before, np.asarray(task.exit_layers)).tolist()
        self.exits = self.exits.kept(places)
        self.config.exit_architectures = [self.config.exit_architectures[place] for place in places]
        self.config.exit_layers = task.named_layers or None
        self.config.exit_criterion = self.config.certificate = None

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Save the model as Transformers does, and beside it its tokenizer, if any, with the model's length.

        Exits that were trained on standardized states are saved as exits of the states themselves, unless another
        `state_dict` is given.
        """
        if kwargs.get("state_dict") is None and (exits := self.exits.folded()) is not self.exits:
            backbone_and_meta = {name: v for name, v in self.state_dict().items() if not name.startswith("exits.")}
            kwargs["state_dict"] = {**backbone_and_meta, **exits.state_dict(prefix="exits.")}
        if self._tokenizer is not None or self.name_or_path:  # first: what is behind may send the folder to a hub
            self.tokenizer.model_max_length = self.max_length
            self.tokenizer.save_pretrained(save_directory)
        super().save_pretrained(save_directory, *args, **kwargs)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        fork: Fork | None = None,
        output_cls_states: bool = False,
        **others: Any,
    ) -> MultiExitOutput:
        """Run all layers and all exits.

        Args:
            input_ids: token ids [B, L], padded on the right.
            attention_mask: 1 at tokens, 0 at padding [B, L]; absent means no padding.
            token_type_ids: [B, L], for families that have them.
            labels: int64 [B]; float [B] for a regression, [B, K] for many labels.
            fork: what an exit, and what the next layer, gets of its layer's hidden state; by default both get it.
            output_cls_states: whether the output has the [CLS] states too.
            others: what Transformers may give to any model; not looked at.

        Raises:
            TypeError: for a `criterion`, by which `predict` leaves early.

        """
        if "criterion" in others:
            raise TypeError("forward() runs all layers and all exits; predict(texts, criterion=...) leaves early.")
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        given = {name: value for name, value in inputs.items() if value is not None}
        mask = None if attention_mask is None else attention_mask.bool()
        states = walk(self.backbone, given)
        by_exit: list[Tensor] = []
        cls_states: list[Tensor] = []
        onward, memory = None, None
        task = self.task
        for layer in range(task.num_layers + 1):  # from the embeddings on
            hidden, onward = states.send(onward), None
            if layer not in task.exit_layers:
                continue
            number = len(by_exit) + 1
            seen, onward = (hidden, None) if fork is None else fork(number, hidden)
            memory = self.exits.remember(number, seen, memory)
            by_exit.append(self.exits.logits(number, seen, mask, memory))
            cls_states.append(hidden[:, 0])
        logits = torch.stack(by_exit, dim=1)
        loss = None if labels is None else exit_losses(logits, labels, self.problem).sum()
        cls_by_row = torch.stack(cls_states, dim=1)
        return MultiExitOutput(
            loss=loss,
            logits=self.problem.torch_outputs(logits[:, -1]),
            logits_by_row=logits,
            doubts_by_row=self.doubts(cls_by_row, task.exit_layers),
            cls_by_row=cls_by_row if output_cls_states else None,
        )

    def prepare(self, *, bf16: bool = False, compile: bool = False) -> "MultiExitModel":
        """Make `predict` faster from now on; gives the model itself. What pays when is in README.md.

        Args:
            bf16: keep the backbone's weights in bfloat16, half as large; exits stay in float32. It pays where the
                processor multiplies in bfloat16, and moves what the exits say by some thousandths.
            compile: compile each layer with `torch.compile` for any number of rows and tokens. It needs a C++ compiler,
                costs the first texts seconds, and pays where many follow.

        """
        if bf16:
            self.backbone.to(dtype=torch.bfloat16)  # type: ignore[call-arg]  # Transformers types it loosely
        if compile:
            family = backbone_for(self.config.backbone_config)
            for block in {family.block(self.backbone, index) for index in range(self.task.num_layers)}:
                block.compile(dynamic=True)
        return self

    @torch.inference_mode()
    def decide(
        self,
        encodings: Sequence[Encoding],
        criterion: Criterion | None = None,
        *,
        batch_size: int = 1,
        on_batch: Callable[[int], None] = ignore,
    ) -> Decisions:
        """The scores and exit layers of tokenized texts, which run in batches of similar length, in the order given."""
        self._end_training()
        return decide(
            ModelStages(self), encodings, criterion or self.criterion, batch_size=batch_size, on_batch=on_batch
        )

    @contextmanager
    def running(self) -> Iterator[ModelStages]:
        """The model cut layer by layer, for a block in whose thread it answers."""
        self._end_training()
        with torch.inference_mode():
            yield ModelStages(self)

    @torch.inference_mode()
    def exit_outputs(
        self, encodings: Sequence[Encoding], *, batch_size: int = 32, on_batch: Callable[[int], None] = ignore
    ) -> tuple[NDArray[Any], Observed]:
        """What every exit says of every text [E, N, K], and the doubts [E, N] and evidence [E, N, 2], at full depth."""
        self._end_training()
        stages = ModelStages(self)
        scores = np.empty((self.task.num_exits, len(encodings), self.task.num_outputs), np.float32)
        observed = {
            what: np.empty((*scores.shape[:2], *shape), np.float32) for what, shape in ((DOUBTS, ()), (EVIDENCE, (2,)))
        }
        for rows in batches_by_length(encodings, batch_size):
            batch = stages.start([encodings[row] for row in rows])
            for layer in range(self.num_layers + 1):
                batch = stages.advance(layer, batch) if layer else batch
                if layer not in stages.numbers:
                    continue
                place = stages.numbers[layer] - 1
                scores[place, rows] = stages.scores(layer, batch)
                for what, values in observed.items():
                    values[place, rows] = stages.observe(what, layer, batch)
            on_batch(len(rows))
        return scores, observed

    def _end_training(self) -> None:
        """Switch dropout off where it is on, as after training; whatever trains switches it on by itself."""
        if self.training:
            self.eval()


def build_model(
    backbone: PreTrainedModel,
    architectures: Sequence[ExitArchitecture],
    label_names: Sequence[str],
    *,
    problem_type: str,
    states: StateStatistics | None = None,
    **config: Any,
) -> MultiExitModel:
    """A model with fresh exits of the given architectures on a pretrained `backbone`.

    There is one of the `architectures` for each layer, or for each of its `exit_layers`, and one of the `label_names`
    for each of K outputs. `problem_type` is Transformers' name of the kind of problem, `config` more of `LecoConfig`.
    Given the statistics of their layers' hidden `states`, the exits read standardized ones while they are trained.
    LecoError as `MultiExitModel`.

    >>> from leco.exits.architecture import LINEAR
    >>> from leco.model import load_backbone
    >>> backbone, names = load_backbone("encoder"), ["negative", "positive"]
    >>> build_model(backbone, 3 * [LINEAR], names, problem_type="single_label_classification").num_layers
    3
    """
    if states is not None:
        architectures = [
            replace(one, standardized=True) if isinstance(one, PastFutureArchitecture) else one for one in architectures
        ]
    configuration = LecoConfig(
        backbone_config=backbone.config,
        exit_architectures=architectures,
        attn_implementation=backbone.config._attn_implementation,
        problem_type=problem_type,
        id2label=dict(enumerate(label_names)),
        label2id={name: index for index, name in enumerate(label_names)},
        **config,
    )
    model = MultiExitModel(configuration, backbone).to(backbone.device)  # type: ignore[arg-type]  # Transformers types it loosely
    if states is not None:
        model.exits.standardize(states)
    return model
