"""What a described predictor answers in a process that has nothing but the description."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def answers_elsewhere(spec, texts):
    """The answers to the texts of what `spec` loads in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_answers, spec, texts).result()


def _answers(spec, texts):
    return spec.load().predict(texts, batch_size=4)
