"""The operations that an exit is made of: activations, encoder operations and poolers (LECO, section 4).

Shapes: B batch, L tokens, e exit width. Every operation respects the mask: what it gives for a text does not
depend on the padding behind it. A new operation is one entry in one of the three tables at the end.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leco.errors import LecoError, parameter
from leco.registry import Registry

Activation = Callable[[Tensor], Tensor]


def in_float32(x: Tensor) -> AbstractContextManager[object]:
    """A block without autocast: exits are so narrow that lower precision costs them time as well as quality."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.autocast(x.device.type, enabled=False)
    return nullcontext()  # entering the other costs more than a narrow matrix product


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """`x` [.., L, e] with zeros at the padding; `mask` [.., L] is true at tokens, None means no padding."""
    return x if mask is None else x * mask.unsqueeze(-1).to(x.dtype)


class Encoder(nn.Module):
    """An encoder operation: `[B, L, e] -> [B, P, e]`, for the first P positions or for all of them.

    `reach` is how many tokens to each side an output depends on; None means the whole text.
    """

    reach: int | None = 0

    def forward(self, x: Tensor, mask: Tensor | None, positions: int | None = None) -> Tensor:
        """Encode `x` [B, L, e] (`mask` [B, L] true at tokens, or None); `positions` limits the outputs wanted."""
        raise NotImplementedError


class Convolution(Encoder):
    """`conv_k`: a 1-d convolution over tokens, stride 1, same padding, e filters."""

    def __init__(self, width: int, *, kernel_size: int) -> None:
        super().__init__()
        self.reach = kernel_size // 2
        self.conv = nn.Conv1d(width, width, kernel_size, padding=self.reach)

    def forward(self, x: Tensor, mask: Tensor | None, positions: int | None = None) -> Tensor:
        """Convolve with zeros beyond both ends of the text."""
        return self.conv(zero_padding(x, mask).transpose(1, 2)).transpose(1, 2)[:, :positions]


class Attention(Encoder):
    """`mha_k`: multi-head self-attention with k heads of size e/k, biased projections (Vaswani et al. 2017)."""

    reach = None

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__()
        if width % heads:
            named = parameter("width")
            raise LecoError(f"An attention of {heads} heads needs a width divisible by {heads}, not {named} {width}.")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None, positions: int | None = None) -> Tensor:
        """Attend to the tokens that are not padding."""
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        key_mask = None if mask is None else mask[:, None, None, :]  # [B, 1, 1, L]
        heads = F.scaled_dot_product_attention(q[:, :, :positions], k, v, attn_mask=key_mask)  # [B, h, P, e/h]
        return self.out(heads.transpose(1, 2).flatten(2))


class Skip(Encoder):
    """`skip-connect`: the input itself."""

    def forward(self, x: Tensor, mask: Tensor | None, positions: int | None = None) -> Tensor:
        """The first `positions` of `x`."""
        return x[:, :positions]


class Null(Encoder):
    """`null`: zeros; choosing it leaves the encoder cell with one operation (section 4, footnote 2)."""

    def forward(self, x: Tensor, mask: Tensor | None, positions: int | None = None) -> Tensor:
        """Zeros in the shape of the first `positions` of `x`."""
        return torch.zeros_like(x[:, :positions])


class Pooler(nn.Module):
    """A pooler: `[.., L, e] -> [.., e]`."""

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Pool the tokens of `x` [.., L, e] that `mask` [.., L] marks; a mask of None marks all."""
        raise NotImplementedError


class ClsPool(Pooler):
    """`cls`: the first token ([CLS]; texts are padded on the right)."""

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The first token's vector."""
        return x[..., 0, :]


class MaxPool(Pooler):
    """`max`: the largest value of each channel over the tokens."""

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Maximum over the tokens."""
        return (x if mask is None else x.masked_fill(~mask.unsqueeze(-1), -torch.inf)).amax(-2)


class AveragePool(Pooler):
    """`avg`: the mean over the tokens."""

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Mean over the tokens."""
        if mask is None:
            return x.mean(-2)
        return zero_padding(x, mask).sum(-2) / mask.sum(-1, keepdim=True).to(x.dtype)


def attention_pool(x: Tensor, mask: Tensor | None, query: Tensor) -> Tensor:
    """The tokens of `x` [.., L, e] weighed by the softmax of their products with `query` [.., e]."""
    scores = torch.einsum("...le,...e->...l", x, query)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return torch.einsum("...le,...l->...e", x, scores.softmax(-1).to(x.dtype))


class SelfAttentionPool(Pooler):
    """`sa`: a learned query scores the tokens, their softmax weighs them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(width) * width**-0.5)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Attention-weighted mean over the tokens."""
        return attention_pool(x, mask, self.query)


ACTIVATIONS: Registry[Activation] = Registry(
    "activation",
    {
        "relu": F.relu,
        "gelu": F.gelu,
        "swish": F.silu,
        "tanh": torch.tanh,
        "null": lambda x: x,
        "leaky_relu": F.leaky_relu,
    },
    aliases={"nullAct": "null"},
)

ENCODERS: Registry[Callable[[int], Encoder]] = Registry(
    "encoder operation",
    {
        "conv_1": partial(Convolution, kernel_size=1),
        "conv_3": partial(Convolution, kernel_size=3),
        "conv_5": partial(Convolution, kernel_size=5),
        "mha_2": partial(Attention, heads=2),
        "mha_4": partial(Attention, heads=4),
        "mha_8": partial(Attention, heads=8),
        "skip-connect": lambda width: Skip(),
        "null": lambda width: Null(),
        "mha_dot": partial(Attention, heads=4),  # the MHA exit's own (Table 5)
    },
    aliases={"mha_pdot": "mha_dot", "skip": "skip-connect"},
)

POOLERS: Registry[Callable[[int], Pooler]] = Registry(
    "pooler",
    {
        "cls": lambda width: ClsPool(),
        "max": lambda width: MaxPool(),
        "avg": lambda width: AveragePool(),
        "sa": SelfAttentionPool,
    },
    aliases={"cls_pool": "cls", "max_pool": "max", "avg_pool": "avg", "sa_pool": "sa"},
)
