"""The main job: from a pretrained encoder and labelled texts to a searched, trained, early-exiting classifier.

Every step leaves its result in the output folder, whole or not at all, and is not repeated when it is there.
"""

import json
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase, set_seed

from leco.card import model_card
from leco.criteria import CRITERIA
from leco.data import TextData, TextDataset, encode, load_data
from leco.errors import LecoError
from leco.evaluation import choose_criterion, evaluate
from leco.evaluation.curve import Point, draw_curves
from leco.exits.architecture import LINEAR, MHA, ExitArchitecture, load_architectures, save_architectures
from leco.exits.published import PUBLISHED, published_architectures
from leco.exits.space import SPACES
from leco.files import atomic_path, write_json, write_text
from leco.model import MultiExitModel, build_model, load_backbone, load_model, load_tokenizer
from leco.model.backbones import backbone_for
from leco.presets import Options, build_options
from leco.progress import say
from leco.runs import claim, fingerprint, flat, once
from leco.search.model import SearchModel
from leco.search.searcher import Searcher
from leco.training.strategies import STRATEGIES
from leco.training.trainer import train_phases

ARCHITECTURES, HISTORY, TRAINING, RESULTS = "architectures.json", "search.json", "training.json", "results.json"


@dataclass(frozen=True)
class Job:
    """What a run is about: an encoder, a data set, settings, and the folder for everything that comes of it."""

    backbone: str
    data: TextData
    options: Options
    folder: Path

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The encoder's tokenizer."""
        return load_tokenizer(self.backbone)

    @property
    def work(self) -> Path:
        """Where steps keep what they need to continue; removed when they are done."""
        return self.folder / "work"

    def dataset(self, split: str, max_length: int) -> TextDataset:
        """A tokenized split."""
        rows = getattr(self.data, split)
        return TextDataset(encode(self.tokenizer, rows.texts, max_length, log=say), rows.labels)


def fit(
    model: str,
    data: str,
    output: str | Path,
    *,
    preset: str = "quick",
    exits: str = "learned",
    criterion: str = "cobee",
    max_drop: float = 0.01,
    repeats: int = 3,
    timed_texts: int | None = 300,
    glue_dir: str | Path | None = None,
    text_columns: Sequence[str] | None = None,
    label_column: str | None = None,
    **options: Any,
) -> MultiExitModel:
    """Search exits, train, choose the exit criterion's settings, evaluate, save: what `leco fit` does.

    Args:
        model: a pretrained encoder, by folder or by its name on the Hub.
        data: `glue/TASK`, a file, a folder or a Hub data set's name.
        output: the folder for the model and all results; a killed run continues there.
        preset: a named set of options, `quick` or `paper` (section 6.3 to the letter).
        exits: `learned`, `linear`, `mha`, `paper:rte`, `paper:sst-2` or a file of architectures.
        criterion: the exit criterion; its settings are chosen on dev.
        max_drop: how much score the settings may cost on dev, from 0 to 1.
        repeats: how often the speedup is measured.
        timed_texts: on how many test texts it is measured; None is all.
        glue_dir: the folder with GLUE's own files; by default `$GLUE_DIR`, and without it the Hub.
        text_columns: the column with the text, or two for pairs; by default they are guessed.
        label_column: the column with the label; by default it is guessed.
        options: any field of RunOptions, TrainingOptions and SearchOptions, in place of the preset's.

    Returns:
        The trained model with its criterion chosen. `OUTPUT/results.json` has the evaluation.

    Raises:
        LecoError: for anything that the user can repair.

    """
    check_criterion(criterion)
    columns = (text_columns, label_column)
    choices = {"exits": exits, "criterion": criterion, "max_drop": max_drop}
    job = make_job(model, data, output, build_options(preset, options), choices, glue_dir, columns)
    run_training(job, exits)
    trained = run_choice(job, criterion, max_drop)
    run_evaluation(job, trained, repeats, timed_texts)
    return trained


def search(
    model: str,
    data: str,
    output: str | Path,
    *,
    preset: str = "quick",
    glue_dir: str | Path | None = None,
    text_columns: Sequence[str] | None = None,
    label_column: str | None = None,
    **options: Any,
) -> list[ExitArchitecture]:
    """Search the exits' architectures alone: what `leco search` does; the arguments are those of `fit`.

    `OUTPUT/architectures.json` has them, for `--exits`; `search.json` and `search.png` have the search's history.
    """
    columns = (text_columns, label_column)
    return run_search(make_job(model, data, output, build_options(preset, options), {}, glue_dir, columns))


def train(
    model: str,
    data: str,
    output: str | Path,
    *,
    preset: str = "quick",
    exits: str = "learned",
    criterion: str = "cobee",
    max_drop: float = 0.01,
    glue_dir: str | Path | None = None,
    text_columns: Sequence[str] | None = None,
    label_column: str | None = None,
    **options: Any,
) -> MultiExitModel:
    """Train a multi-exit model and choose its criterion: what `leco train` does; the arguments are those of `fit`."""
    check_criterion(criterion)
    columns = (text_columns, label_column)
    choices = {"exits": exits, "criterion": criterion, "max_drop": max_drop}
    job = make_job(model, data, output, build_options(preset, options), choices, glue_dir, columns)
    run_training(job, exits)
    return run_choice(job, criterion, max_drop)


def check_criterion(name: str) -> None:
    """Raise LecoError unless `name` is a criterion that a model can use."""
    if not CRITERIA[name].deployable:
        raise LecoError(f"--criterion '{name}' needs the labels: it is for analysis. Choose one that a model can use.")


def make_job(
    model: str,
    data: str,
    output: str | Path,
    options: Options,
    choices: Mapping[str, Any],
    glue_dir: str | Path | None,
    columns: tuple[Sequence[str] | None, str | None],
) -> Job:
    """Read the data and claim the output folder, after everything that can be checked at once has been checked."""
    STRATEGIES.name(options.training.strategy)
    SPACES.name(options.search.space)
    run, folder = options.run, Path(output)
    texts = load_data(
        data,
        glue_dir=Path(glue_dir) if glue_dir else None,
        text_columns=columns[0],
        label_column=columns[1],
        train_rows=run.train_rows,
        log=say,
    )
    claim(
        folder, {"model": str(model), "data": texts.name, "data_hash": fingerprint(texts), **choices, **flat(options)}
    )
    return Job(str(model), texts, replace(options, run=replace(run, bf16=run.bf16 and has_bf16())), folder)


def has_bf16() -> bool:
    """Whether the processor multiplies in bfloat16; a warning says so where it was asked for and is not there."""
    supported = torch.cuda.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    if not supported:
        warnings.warn("--bf16: this processor has no bfloat16; running in float32.", stacklevel=2)
    return supported


def run_search(job: Job) -> list[ExitArchitecture]:
    """Search the exits' architectures, or read them where they have been found."""
    path = job.folder / ARCHITECTURES
    backbone = load_backbone(job.backbone)
    if not path.exists():
        run, options = job.options.run, job.options.search
        set_seed(run.seed)
        space = replace(SPACES[options.space], width=run.width)
        model = SearchModel(backbone, space, job.data.num_outputs, run.exit_dropout)
        length = min(run.max_length, backbone_for(backbone.config).max_length(backbone.config))
        train_data = job.dataset("train", length)
        searcher = Searcher(model, train_data, job.tokenizer, job.data.problem_type, run, options)
        result = searcher.search(job.work / "search.pt")
        result.history.draw(job.folder / "search.png")
        result.history.save(job.folder / HISTORY)
        save_architectures(path, result.architectures)
        (job.work / "search.pt").unlink()
    return load_architectures(path, backbone_for(backbone.config).num_layers(backbone.config))


def architectures_for(job: Job, exits: str, num_layers: int) -> list[ExitArchitecture]:
    """The architectures that `--exits` names: searched, of one kind, published, or from a file."""
    if exits == "learned":
        return run_search(job)
    if exits in ("linear", "mha"):
        kind = LINEAR if exits == "linear" else MHA
        return [kind] * num_layers
    if exits in PUBLISHED:
        return list(published_architectures(exits, num_layers))
    if Path(exits).exists():
        return load_architectures(Path(exits), num_layers)
    raise LecoError(
        f"--exits '{exits}' is neither a file nor one of: learned, linear, mha, {', '.join(PUBLISHED)}. "
        "A file of architectures is what 'leco search' writes."
    )


def run_training(job: Job, exits: str) -> None:
    """Train the multi-exit model and save it in the output folder, unless it is there."""
    if (job.folder / TRAINING).exists():
        return
    backbone = load_backbone(job.backbone)
    family, run = backbone_for(backbone.config), job.options.run
    architectures = architectures_for(job, exits, family.num_layers(backbone.config))
    set_seed(run.seed)
    names = job.data.label_names or ("value",)
    model = build_model(
        backbone,
        architectures,
        names,
        problem_type=job.data.problem_type,
        exit_dropout=run.exit_dropout,
        max_tokens=run.max_length,
    )
    model.tokenizer = job.tokenizer
    train_data, dev_data = (job.dataset(split, model.max_length) for split in ("train", "dev"))
    log = train_phases(model, train_data, dev_data, job.data.metric, run, job.options.training, job.work)
    save_model(model, job.folder)
    write_json(job.folder / TRAINING, {"epochs": log.epochs, "seconds": log.seconds})
    shutil.rmtree(job.work, ignore_errors=True)


def run_choice(job: Job, criterion: str, max_drop: float) -> MultiExitModel:
    """Choose the criterion's settings on dev and keep them in the model's configuration."""
    model = load_model(job.folder)
    if model.config.exit_criterion is None:
        model.config.exit_criterion = choose_criterion(model, job.data, criterion, max_drop).to_dict()
        with atomic_path(job.folder / "config.json") as temporary:
            model.config.to_json_file(temporary, use_diff=True)
    return model


def run_evaluation(job: Job, model: MultiExitModel, repeats: int, timed_texts: int | None) -> dict[str, Any]:
    """Evaluate on test, and write the results, the curve and the model card."""

    def make() -> dict[str, Any]:
        return evaluate(model, job.data, repeats=repeats, timed_texts=timed_texts).to_dict()

    results = once(job.folder / RESULTS, make)
    points = [Point(**point) for point in results["curve"]]
    draw_curves(
        job.folder / "curve.png", {results["criterion"]["name"]: points}, results["exit_scores"], results["metric"]
    )
    training = json.loads((job.folder / TRAINING).read_text(encoding="utf-8"))
    write_text(job.folder / "README.md", model_card(model, job.backbone, asdict(job.options), training, results))
    return results


def save_model(model: MultiExitModel, folder: Path) -> None:
    """Save model and tokenizer into `folder`, file by file and each whole, the configuration last.

    Until the configuration is there the folder is no model folder, so that a killed run leaves none that is broken.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving.") as name:
        temporary = Path(name)
        model.save_pretrained(temporary)
        model.tokenizer.save_pretrained(temporary)
        for path in sorted(temporary.iterdir(), key=lambda path: path.name == "config.json"):
            path.chmod(0o644)
            path.replace(folder / path.name)
