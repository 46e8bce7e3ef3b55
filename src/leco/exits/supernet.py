"""The supernet: all candidate exits of all layers at once (sections 3.2 and 4), in few large tensor operations.

Each edge gives the sum of its candidates' outputs, each times its weight. Convolutions, the skip connection and the
output projections of attentions are linear, so they are mixed as weights before they meet the data: all
convolutions of both encoder edges and all skips are one kernel, all attentions one projection in and one out.
Layers are a batch dimension. Shapes: M layers, B batch, L tokens, d hidden, e exit width, K outputs, O candidates.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from leco.exits.architecture import EDGES
from leco.exits.operations import (
    ACTIVATIONS,
    Attention,
    Convolution,
    Null,
    SelfAttentionPool,
    Skip,
    attention_pool,
    in_float32,
    zero_padding,
)
from leco.exits.space import SearchSpace

EdgeWeights = Mapping[str, Tensor]
"""For each edge, the weights [M, O] of its candidates."""


class Stacked(nn.Module):
    """M copies of one operation, one for each layer, their parameters stacked: `[M, ...]`."""

    def __init__(self, build: Callable[[], nn.Module], num_layers: int) -> None:
        super().__init__()
        copies = [build() for _ in range(num_layers)]
        self._prototype = (copies[0],)  # in a tuple, so that its parameters are not this module's
        stacks = {
            name: torch.stack([copy.get_parameter(name).detach() for copy in copies])
            for name, _ in copies[0].named_parameters()
        }
        self.stacks = nn.ParameterDict({name.replace(".", "-"): nn.Parameter(stack) for name, stack in stacks.items()})

    @property
    def prototype(self) -> Any:
        """One operation of this kind; its own parameters are not used."""
        return self._prototype[0]

    def __getitem__(self, name: str) -> Tensor:
        return self.stacks[name.replace(".", "-")]

    def layer(self, index: int) -> dict[str, Tensor]:
        """The parameters of one layer's copy, under the operation's own names."""
        return {name.replace("-", "."): stack[index] for name, stack in self.stacks.items()}

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Apply each layer's copy to that layer's `x` [M, ...]."""
        parameters = {name.replace("-", "."): stack for name, stack in self.stacks.items()}

        def one_layer(parameters: dict[str, Tensor], x: Tensor) -> Tensor:
            output: Tensor = functional_call(self.prototype, parameters, (x, mask))
            return output

        return torch.vmap(one_layer, randomness="different")(parameters, x)


class Candidates(nn.ModuleList):
    """The stacked candidates of one edge, in the order of its architecture parameters."""

    def __init__(self, edge: str, space: SearchSpace, num_layers: int) -> None:
        build = EDGES[edge]
        super().__init__(Stacked(partial(build[name], space.width), num_layers) for name in space.operations(edge))


def spread(weight: Tensor, like: Tensor) -> Tensor:
    """`weight` [M] with as many further dimensions of size 1 as make it multiply `like` [M, ...]."""
    return weight.view(-1, *[1] * (like.dim() - 1))


class Supernet(nn.Module):
    """All candidate exits on all layers of a backbone: `[M, B, L, d] -> [M, B, K]`.

    The weights of the candidates are not part of it; a relaxation makes them from the architecture parameters. Where
    the exits will read standardized states, so do the candidates, by a `Standardize` in the place of `standardize`.
    """

    def __init__(
        self, space: SearchSpace, num_layers: int, hidden_size: int, num_outputs: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.space, self.num_layers = space, num_layers
        self.standardize: nn.Module = nn.Identity()
        self.down = Stacked(lambda: nn.Linear(hidden_size, space.width), num_layers)
        self.encoders = nn.ModuleDict(
            {edge: Candidates(edge, space, num_layers) for edge in ("encoder_1", "encoder_2")}
        )
        self.poolers = Candidates("pooler", space, num_layers)
        self.dropout = nn.Dropout(dropout)
        self.classifier = Stacked(lambda: nn.Linear(space.width, num_outputs), num_layers)

    def forward(
        self, hidden: Tensor, mask: Tensor | None, weights: EdgeWeights, channels: Tensor | None = None
    ) -> Tensor:
        """Logits [M, B, K] of all layers' hidden states [M, B, L, d]; `mask` [B, L] is true at tokens.

        Where `channels` [e] is given, the activation and encoder cells work on the channels that are 1 in it, and
        the others pass by (PC-DARTS).
        """
        with in_float32(hidden):
            x = _linear(self.standardize(hidden.float()), self.down["weight"], self.down["bias"])
            x = _partly(lambda x: self._activate(x, "activation_1", weights), x, channels)
            x = _partly(lambda x: self._encode(x, mask, weights), x, channels)
            x = self._pool(x, mask, weights["pooler"])
            x = _partly(lambda x: self._activate(x, "activation_2", weights), x, channels)
            return _linear(self.dropout(x), self.classifier["weight"], self.classifier["bias"])

    def _activate(self, x: Tensor, edge: str, weights: EdgeWeights) -> Tensor:
        names = self.space.operations(edge)
        mixture = [
            spread(weight, x) * ACTIVATIONS[name](x)
            for name, weight in zip(names, weights[edge].unbind(1), strict=True)
        ]
        return torch.stack(mixture).sum(0) if len(mixture) > 1 else mixture[0]

    def _encode(self, x: Tensor, mask: Tensor | None, weights: EdgeWeights) -> Tensor:
        candidates = [
            (cast(Stacked, operation), weight)
            for edge in ("encoder_1", "encoder_2")
            for operation, weight in zip(cast(Candidates, self.encoders[edge]), weights[edge].unbind(1), strict=True)
        ]
        convolutions, attentions, others = [], [], []
        for operation, weight in candidates:
            match operation.prototype:
                case Convolution() | Skip():
                    convolutions.append((operation, weight))
                case Attention():
                    attentions.append((operation, weight))
                case Null():
                    pass
                case _:
                    others.append((operation, weight))
        encoded = _convolve(x, mask, convolutions) if convolutions else torch.zeros_like(x)
        if attentions:
            encoded = encoded + _attend(x, mask, attentions)
        for operation, weight in others:
            encoded = encoded + spread(weight, x) * operation(x, mask)
        return encoded

    def _pool(self, x: Tensor, mask: Tensor | None, weights: Tensor) -> Tensor:
        pooled = torch.zeros_like(x[:, :, 0])
        for operation, weight in zip(cast(list[Stacked], self.poolers), weights.unbind(1), strict=True):
            if isinstance(operation.prototype, SelfAttentionPool):
                output = attention_pool(x, mask, operation["query"].unsqueeze(1))
            elif not operation.stacks:  # without parameters all layers are one batch
                output = operation.prototype(x, mask)
            else:
                output = operation(x, mask)
            pooled = pooled + spread(weight, output) * output
        return pooled


def _partly(cell: Callable[[Tensor], Tensor], x: Tensor, channels: Tensor | None) -> Tensor:
    """`cell` on the channels [e] of `x` [.., e] that are 1, and `x` itself on those that are 0."""
    return cell(x) if channels is None else channels * cell(channels * x) + (1 - channels) * x


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Layer by layer `x` [M, .., i] times `weight` [M, o, i] plus `bias` [M, o], as one batched product."""
    product = torch.baddbmm(bias.unsqueeze(1), x.flatten(1, -2), weight.transpose(1, 2))
    return product.unflatten(1, x.shape[1:-1])


def _convolve(x: Tensor, mask: Tensor | None, candidates: list[tuple[Stacked, Tensor]]) -> Tensor:
    """The weighted sum of convolutions and skip connections of `x` [M, B, L, e]: one kernel, one batched product."""
    reach = max(operation.prototype.reach for operation, _ in candidates)
    width = x.size(-1)
    kernel = x.new_zeros(x.size(0), width, width, 2 * reach + 1, dtype=torch.float32)
    bias = x.new_zeros(x.size(0), width, dtype=torch.float32)
    for operation, weight in candidates:
        if isinstance(operation.prototype, Skip):
            kernel = kernel + F.pad(
                spread(weight, kernel) * torch.eye(width, device=x.device)[:, :, None], (reach, reach)
            )
        else:
            margin = reach - operation.prototype.reach
            kernel = kernel + F.pad(spread(weight, kernel) * operation["conv.weight"], (margin, margin))
            bias = bias + spread(weight, bias) * operation["conv.bias"]
    padded = F.pad(zero_padding(x, mask), (0, 0, reach, reach))
    windows = torch.cat([padded[:, :, shift : shift + x.size(2)] for shift in range(2 * reach + 1)], dim=-1)
    return _linear(windows, kernel.transpose(2, 3).flatten(2), bias)


def _attend(x: Tensor, mask: Tensor | None, candidates: list[tuple[Stacked, Tensor]]) -> Tensor:
    """The weighted sum of self-attentions of `x` [M, B, L, e]: one product in, one attention a head size, one out."""
    candidates = sorted(candidates, key=lambda candidate: candidate[0].prototype.heads)
    stack = {
        name: [operation[name] for operation, _ in candidates]
        for name in ("qkv.weight", "qkv.bias", "out.weight", "out.bias")
    }
    weights = [weight for _, weight in candidates]
    width = x.size(-1)
    projected = _linear(x, torch.cat(stack["qkv.weight"], dim=1), torch.cat(stack["qkv.bias"], dim=1))
    projected = projected.unflatten(-1, (len(candidates), 3, width)).flatten(0, 1)  # [M*B, L, n, 3, e]
    key_mask = None if mask is None else mask.repeat(x.size(0), 1)[:, None, None, :]  # [M*B, 1, 1, L]
    outputs, start = [], 0
    heads_of_each = [operation.prototype.heads for operation, _ in candidates]
    for heads in sorted(set(heads_of_each)):
        count = heads_of_each.count(heads)
        same_size = projected[:, :, start : start + count].unflatten(-1, (heads, -1))  # [M*B, L, n, 3, h, e/h]
        q, k, v = same_size.permute(3, 0, 2, 4, 1, 5).flatten(2, 3)  # each [M*B, n*h, L, e/h]
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=key_mask)
        outputs.append(attended.transpose(1, 2).flatten(2))  # [M*B, L, n*e]
        start += count
    out_weight = torch.cat([spread(a, w) * w for a, w in zip(weights, stack["out.weight"], strict=True)], dim=2)
    out_bias = torch.stack([spread(a, b) * b for a, b in zip(weights, stack["out.bias"], strict=True)]).sum(0)
    return _linear(torch.cat(outputs, dim=-1).unflatten(0, x.shape[:2]), out_weight, out_bias)
