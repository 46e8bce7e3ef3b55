"""Trains a toy model by each strategy in one of two processes; `torchrun` starts both. The first writes what it saw."""

import json
import sys
from pathlib import Path

import torch
import torch.distributed

sys.path.insert(0, str(Path(__file__).parents[1]))

import toy
from leco.training.options import TrainingOptions
from leco.training.strategies import STRATEGIES
from toy import LEARNED, dataset, model_with


def train(name: str, folder: Path) -> dict[str, bool]:
    """Whether both processes end with the same weights, and whether these have moved."""
    model = model_with(STRATEGIES[name].exits or LEARNED)
    before = flat(model)
    options = TrainingOptions(strategy=name, epochs=2, lr=1e-3, exit_lr=1e-2)
    toy.train(model, (dataset(), dataset()), folder, options)
    after = flat(model)
    both = [torch.zeros_like(after) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(both, after)
    return {"same": torch.equal(*both), "moved": not torch.equal(after, before)}


def flat(model: torch.nn.Module) -> torch.Tensor:
    """All weights as one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    found = {name: train(name, folder / name) for name in STRATEGIES}
    if torch.distributed.get_rank() == 0:
        (folder / "found.json").write_text(json.dumps(found))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()  # or its threads, now and then, abort the process when it ends
