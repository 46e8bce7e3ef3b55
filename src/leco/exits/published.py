"""The architectures that the paper publishes (Table 6), for any number of layers."""

import warnings

from leco.exits.architecture import Architecture
from leco.registry import Registry

_RTE = """
nullAct    tanh       sa_pool  null         conv_1
swish      nullAct    avg_pool conv_1       conv_5
gelu       tanh       sa_pool  null         mha_2
swish      nullAct    sa_pool  skip-connect conv_3
gelu       nullAct    sa_pool  conv_3       null
gelu       tanh       sa_pool  mha_pdot     conv_3
nullAct    tanh       sa_pool  conv_3       null
leaky_relu leaky_relu max_pool conv_1       null
nullAct    swish      max_pool null         conv_1
swish      leaky_relu max_pool conv_1       null
nullAct    gelu       cls_pool skip-connect mha_4
nullAct    swish      cls_pool mha_4        null
"""

_SST_2 = """
swish      leaky_relu avg_pool conv_3       null
gelu       leaky_relu max_pool null         mha_4
nullAct    swish      max_pool mha_4        null
swish      leaky_relu cls_pool conv_3       null
swish      gelu       sa_pool  conv_5       skip-connect
swish      swish      avg_pool null         conv_5
gelu       swish      max_pool mha_4        conv_1
nullAct    leaky_relu max_pool null         skip-connect
tanh       gelu       cls_pool conv_1       conv_1
nullAct    gelu       cls_pool skip-connect mha_8
nullAct    gelu       avg_pool conv_3       null
gelu       nullAct    cls_pool conv_3       skip-connect
"""


def _read(table: str) -> tuple[Architecture, ...]:
    """The rows of Table 6: activation 1, activation 2, pooler, encoder operation 1, encoder operation 2."""
    rows = [line.split() for line in table.strip().splitlines()]
    return tuple(Architecture(act_1, enc_1, enc_2, pooler, act_2) for act_1, act_2, pooler, enc_1, enc_2 in rows)


PUBLISHED: Registry[tuple[Architecture, ...]] = Registry(
    "set of published architectures", {"paper:rte": _read(_RTE), "paper:sst-2": _read(_SST_2)}
)


def published_architectures(name: str, num_layers: int) -> list[Architecture]:
    """The published set `name` for a backbone of `num_layers` layers.

    Table 6 is for 12 layers. For another depth, layer m of M takes the row of the same relative depth,
    ceil(12 m / M), and a warning says so.
    """
    rows = PUBLISHED[name]
    if num_layers != len(rows):
        warnings.warn(
            f"'{name}' was published for {len(rows)} layers; this backbone has {num_layers}, "
            "so each layer takes the architecture of the same relative depth.",
            stacklevel=2,
        )
    return [rows[-(-len(rows) * layer // num_layers) - 1] for layer in range(1, num_layers + 1)]
