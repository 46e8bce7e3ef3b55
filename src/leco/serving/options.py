"""The settings of the service: where it listens, how texts are batched, and what a client may ask of it."""

from dataclasses import dataclass
from pathlib import Path

from leco.options import option, validate
from leco.runtime import POLICIES

ENVIRONMENT = "LECO_"
"""How the environment variables begin that hold settings: LECO_MAX_BATCH_TOKENS."""


@dataclass(frozen=True)
class ServingOptions:
    """How a model is served."""

    host: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 is all of this machine's.")
    port: int = option(8000, "Port to listen on; 0 is any that is free.", minimum=0, maximum=65_535)
    workers: int = option(1, "Processes behind one socket, which share the cores.", minimum=1, maximum=256)
    threads: int | None = option(None, "Threads of each process; by default its share of the cores.", minimum=1)
    policy: str = option(
        "whole",
        "When waiting texts enter: whole (after a batch), refill (where half of it has left) or queues (at once).",
        choices=POLICIES,
    )
    max_batch_tokens: int = option(16_384, "Most tokens of a batch, padding counted.", minimum=1)
    max_wait: float = option(0.0, "Seconds that a batch waits for more texts.", minimum=0, maximum=10)
    max_queue_tokens: int = option(262_144, "Most tokens that wait; beyond it requests get 429.", minimum=1)
    max_concurrent: int = option(1_024, "Most requests at a time; beyond it they get 429.", minimum=1)
    timeout: float = option(
        30.0, "Seconds in which a request is answered (else 504), unless it sets X-Timeout-Ms to less.", above=0
    )
    max_texts: int = option(1_024, "Most texts of a request.", minimum=1)
    max_characters: int = option(100_000, "Most characters of a text.", minimum=1)
    max_body: int = option(16_777_216, "Most bytes of a request's body.", minimum=1)
    api_key_file: Path | None = option(
        None, "File with the token that requests must bear; LECO_API_KEY holds the token itself."
    )
    private: bool = option(False, "Whether all else needs the token, too: playground, description, health, metrics.")
    cors: str | None = option(None, "Origin of which pages may ask, such as https://example.org; by default none.")
    log_json: bool = option(False, "Log a JSON object for each request.")

    def __post_init__(self) -> None:
        validate(self)
