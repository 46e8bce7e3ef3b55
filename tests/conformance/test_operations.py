"""Every operation, whatever is registered, alone and in exits."""

import pytest
import torch
from torch.nn import functional as F

from conformance.gradients import assert_gradient
from leco.errors import LecoError
from leco.exits.architecture import LINEAR, MHA
from leco.exits.modules import build_exit
from leco.exits.operations import ACTIVATIONS, ENCODERS, POOLERS
from tiny import EVERY_ACTIVATION, EVERY_CELL, LENGTH, PADDED, WIDTH

TABLES = (ACTIVATIONS, ENCODERS, POOLERS)
OPERATIONS = [(operations, name) for operations in TABLES for name in operations]
EXITS = [*EVERY_CELL, *EVERY_ACTIVATION, LINEAR, MHA]


def applied(operations, name, dtype=torch.float32):
    """The operation as a function of `x` and `mask`, and its parameters."""
    if operations is ACTIVATIONS:
        return (lambda x, _: operations[name](x)), []
    torch.manual_seed(0)
    module = operations[name](WIDTH).to(dtype)
    return module, list(module.parameters())


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_ignores_padding(name, padded):
    x, mask = padded
    operation = ENCODERS[name](WIDTH)
    alone = operation(x[:, :LENGTH], None)
    assert alone.shape == (1, LENGTH, WIDTH)
    torch.testing.assert_close(operation(x, mask)[:, :LENGTH], alone, atol=1e-6, rtol=0)
    torch.testing.assert_close(operation(x, mask, 2), alone[:, :2], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ENCODERS)
def test_reach_is_how_far_an_encoder_sees(name):
    operation = ENCODERS[name](WIDTH)
    x = torch.randn(1, PADDED, WIDTH, requires_grad=True)
    operation(x, None)[0, 0].sum().backward() if operation(x, None).requires_grad else None
    touched = torch.zeros(PADDED, dtype=torch.bool) if x.grad is None else x.grad[0].abs().sum(-1) > 0
    furthest = int(touched.nonzero().max()) if touched.any() else 0
    assert furthest == (PADDED - 1 if operation.reach is None else operation.reach)


@pytest.mark.parametrize("name", POOLERS)
def test_a_pooler_ignores_padding(name, padded):
    x, mask = padded
    operation = POOLERS[name](WIDTH)
    alone = operation(x[:, :LENGTH], None)
    assert alone.shape == (1, WIDTH)
    torch.testing.assert_close(operation(x, mask), alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("operations", "name"), OPERATIONS)
def test_its_gradient_is_that_of_differences(operations, name, padded):
    x, mask = padded[0].double().requires_grad_(), padded[1]
    function, parameters = applied(operations, name, torch.float64)

    def objective():
        return function(x, mask).square().sum() + x.sum()  # `null` alone would have no gradient

    assert_gradient(objective, [x, *parameters])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize(("operations", "name"), OPERATIONS)
def test_it_keeps_the_precision_that_it_is_given(operations, name, dtype, padded):
    x, mask = padded
    expected, (function, _) = applied(operations, name)[0](x, mask), applied(operations, name, dtype)
    found = function(x.to(dtype), mask)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, atol=0.1 if dtype == torch.bfloat16 else 1e-5, rtol=0.05)


@pytest.mark.parametrize("width", [1, 2, 12, 256])
@pytest.mark.parametrize(("operations", "name"), [on for on in OPERATIONS if on[0] is not ACTIVATIONS])
def test_a_width_is_taken_or_refused_by_its_flag(operations, name, width):
    try:
        found = tuple(operations[name](width)(torch.randn(1, 3, width), None).shape)
    except LecoError as error:
        found = str(error)
    assert f"not width {width}." in found if isinstance(found, str) else found[-1] == width


@pytest.mark.parametrize("architecture", EXITS, ids=str)
def test_an_exit_with_it_learns_a_toy_task_and_is_saved(architecture):
    torch.manual_seed(0)
    leave, labels = build_exit(architecture, 12, 2, dropout=0.1), torch.arange(32) % 2
    hidden = torch.randn(32, 6, 12) + 2 * (labels[:, None, None] * 2 - 1) * torch.randn(12).sign()
    optimizer = torch.optim.Adam(leave.parameters(), lr=1e-2)
    for _ in range(25):
        F.cross_entropy(leave(hidden), labels).backward()
        optimizer.step()
        optimizer.zero_grad()
    leave.eval()
    assert (leave(hidden).argmax(-1) == labels).float().mean() > 0.9
    other = build_exit(architecture, 12, 2).eval()
    other.load_state_dict(leave.state_dict())
    assert torch.equal(other(hidden), leave(hidden))


@pytest.mark.parametrize("architecture", EXITS, ids=str)
def test_an_exit_with_it_says_of_a_text_alone_what_it_says_in_a_padded_batch(architecture):
    torch.manual_seed(0)
    leave = build_exit(architecture, 24, 3).eval()
    batch = torch.randn(3, 7, 24)
    mask = torch.arange(7)[None] < torch.tensor([[7], [4], [1]])
    logits = leave(batch, mask)
    for row, length in enumerate((7, 4, 1)):
        torch.testing.assert_close(leave(batch[row : row + 1, :length])[0], logits[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize("architecture", EXITS, ids=str)
def test_an_exit_with_it_runs_in_float32_under_autocast(architecture):
    leave, hidden = build_exit(architecture, 24, 3).eval(), torch.randn(2, 5, 24).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        logits = leave(hidden)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, leave(hidden.float()))


@pytest.mark.parametrize("operations", TABLES, ids=lambda operations: operations.kind)
def test_an_unknown_operation_is_named_with_the_known_ones(operations):
    with pytest.raises(LecoError, match=rf"Unknown {operations.kind} 'lstm'.*Known: .*{min(operations)}"):
        operations.name("lstm")
