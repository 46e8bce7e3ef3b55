"""A certificate, for tests that change what they are about."""

from leco import Entropy
from leco.calibration import Certificate

GIVEN = Certificate(
    criterion=Entropy(0.2).to_dict(),
    runtime="PyTorch",
    precision="float32",
    loss="worse",
    bound=0.02,
    disagreement=0.05,
    confidence=0.9,
    method="ltt",
    rows=1000,
    errors=12.0,
    mean_exit_layer=3.5,
    settings=40,
    data="new.csv",
    fingerprint="0123456789abcdef",
)
