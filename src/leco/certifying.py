"""Certificates of saved models: made on texts that are new to them, kept with them, and tested on others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leco.calibration import (
    LOSSES,
    ORDER,
    CalibrationOptions,
    Certificate,
    Order,
    Verification,
    VerificationOptions,
    verify_losses,
)
from leco.card import CARD, with_certificate
from leco.data import DataSource
from leco.errors import LecoError, parameter
from leco.evaluation.certify import Calibration
from leco.evaluation.kept import Kept, files_mark
from leco.evaluation.trials import Trials
from leco.evaluation.unseen import check_new, unseen_texts
from leco.files import check_path, write_text
from leco.fingerprint import content_files
from leco.folders import holding
from leco.loading import is_classifier, load
from leco.model import MultiExitModel
from leco.options import check_names, fill, setting_names, taking
from leco.progress import say
from leco.runtime import Predictor, doubt_of
from leco.settings import SourceOptions

KEPT = ".calibration"
"""Where outputs are kept until all is done, in a model's folder or beside a file."""
Log = Callable[[str], None]


@taking(CalibrationOptions(), SourceOptions())
def calibrate(
    path: str | Path,
    data: DataSource,
    *,
    criterion: str | None = None,
    device: str = "auto",
    log: Log = say,
    **options: Any,
) -> Certificate:
    """Choose the exit criterion's settings with a guarantee, on texts that are new to a model, and keep both with it.

    Of the settings, in an order that is fixed before, from the latest exits to the earliest, the last one before the
    first whose risk is not surely within the bound (Learn-then-Test; other methods choose otherwise): with probability
    `confidence` over the choice of the texts, `E[loss] <= max_drop` then holds for all texts like these.

    >>> import leco
    >>> certificate = leco.calibrate("reviews-model", "new-reviews.csv", max_drop=0.05, confidence=0.9)
    >>> certificate.bound, certificate.confidence, certificate.rows
    (0.05, 0.9, 160)

    Args:
        path: the folder of a multi-exit model, or a file that `leco export` made, whose own answers are calibrated.
        data: labelled texts or, with the loss `disagreement`, any: a file, a name, a table. Neither the training nor
            the choice of settings may have seen them.
        criterion: a kind of exit criterion whose settings are tried, "auto" for all kinds, or one with its settings,
            which alone is tested; by default the model's own kind. An exported file has its own kind alone.
        device: where a model folder runs.
        log: takes lines for the user.
        options: the settings below.

    Returns:
        The certificate. Where nothing earlier can be certified it is that of full depth, and the model answers there.

    Raises:
        LecoError: for anything that the user can repair; the model is left as it is.

    Source: Learn then Test (Angelopoulos et al. 2021, 2110.01052), applied to early exits by Jazbec et al. 2024
    (2405.20915).

    """
    check_names([CalibrationOptions(), SourceOptions()], options)
    wanted = fill(CalibrationOptions(), options)
    predictor = early_exiting(path, device)
    path = Path(path)
    labelled = LOSSES[wanted.loss].labelled
    name, split = unseen_texts(predictor, data, _of_source(options), labelled=labelled, log=log)
    order = Order.load(path / ORDER) if (path / ORDER).is_file() else None
    with holding(path if path.is_dir() else path.parent, "path"), _kept(path, split.fingerprint) as kept:
        made = Calibration(predictor, name, split, wanted, kept, criterion, order, log).certificate()
        keep(path, predictor, made)
    return made


@taking(VerificationOptions(), SourceOptions())
def verify(path: str | Path, data: DataSource, *, device: str = "auto", log: Log = say, **options: Any) -> Verification:
    """Test the certificate of a model on texts that are new to it: whether they contradict it.

    The p value is the probability of so many errors among so many texts, or more, where the risk is just the bound:
    the exact binomial one where losses are 0 or 1, else Hoeffding-Bentkus. At `significance` or less the bound is
    `exceeded`, which is `contradicted` where it was promised with a confidence.

    >>> import leco
    >>> _ = leco.calibrate("reviews-model", "new-reviews.csv", max_drop=0.05)
    >>> leco.verify("reviews-model", "newer-reviews.csv").contradicted
    False

    Args:
        path: the folder of a multi-exit model, or a file that `leco export` made.
        data: labelled texts or, where the certificate's loss is `disagreement`, any.
        device: where a model folder runs.
        log: takes lines for the user.
        options: the settings below.

    Raises:
        LecoError: where there is no certificate, where it does not hold for the model as it is, and for anything else
            that the user can repair.

    """
    check_names([VerificationOptions(), SourceOptions()], options)
    significance = fill(VerificationOptions(), options).significance
    predictor = early_exiting(path, device)
    path = Path(path)
    held = predictor.certificate
    if held is None:
        raise LecoError(f"'{path}' has no certificate. 'leco calibrate' makes one.")
    if doubt := doubt_of(predictor):
        raise LecoError(f"'{path}': {doubt} Calibrate it again.")
    loss = LOSSES[held.loss]
    name, split = unseen_texts(predictor, data, _of_source(options), labelled=loss.labelled, log=log)
    if split.fingerprint == held.fingerprint:
        raise LecoError(f"{parameter('data')} '{name}' has the texts that the model was calibrated on. Give new ones.")
    check_new(f"{parameter('data')} '{name}'", split, held.seen, "the model was calibrated", log)
    trials = Trials(predictor, split, loss)
    return verify_losses(held, trials.attempt(predictor.criterion).losses, significance)


def early_exiting(path: str | Path, device: str) -> Predictor:
    """The model of a folder or a file; LecoError for no path, and a plain classifier, which has no early answers."""
    check_path(path, "path")
    if is_classifier(path):
        raise LecoError(f"'{path}' is a plain classifier: it has no early answers. Give a model of 'leco fit'.")
    return load(path, device=device)


def keep(path: Path, predictor: Predictor, certificate: Certificate) -> None:
    """Write a certificate and its criterion into a model's folder, or into its exported file, each file whole."""
    if not isinstance(predictor, MultiExitModel):
        from leco.export.certified import certify_file

        certify_file(path, certificate)
        return
    predictor.config.exit_criterion, predictor.config.certificate = certificate.criterion, certificate.to_dict()
    predictor.config.save(path)
    if (path / CARD).is_file():
        card = (path / CARD).read_text(encoding="utf-8")
        write_text(path / CARD, with_certificate(card, certificate))


@contextmanager
def _kept(path: Path, key: str) -> Iterator[Kept]:
    """A place for outputs beside a model, which stays where the block is stopped from outside."""
    folder = path / KEPT if path.is_dir() else path.with_name(f"{KEPT}-{path.name}")
    kept = Kept(folder, f"{key} {files_mark(*content_files(path))}")
    try:
        yield kept
    except LecoError:  # it would be the same again
        kept.remove()
        raise
    kept.remove()


def _of_source(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options that say how texts are read."""
    return {name: options[name] for name in setting_names(SourceOptions) if name in options}
