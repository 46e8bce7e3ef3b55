"""The main job: from a pretrained encoder and labelled texts to a searched, trained, early-exiting classifier.

Every step leaves its result in the output folder, whole or not at all, and is not repeated when it is there.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, TrainerCallback, set_seed

from leco.calibration import ORDER, CalibrationOptions
from leco.card import model_card
from leco.criteria import Criterion, Task
from leco.data import DataSource
from leco.errors import LecoError, parameter
from leco.evaluation import EVALUATION, evaluate
from leco.evaluation.certify import Calibration
from leco.evaluation.contest import hold_contest
from leco.evaluation.evaluate import outputs_to_choose_by
from leco.evaluation.ordering import order_on
from leco.evaluation.plots import draw_curves
from leco.evaluation.pruning import PRUNING, prune_exits
from leco.evaluation.unseen import check_new
from leco.exits.architecture import ExitArchitecture, load_architectures, save_architectures
from leco.exits.modules import embeddings_exit
from leco.exits.standardize import StateStatistics
from leco.files import write_json, write_text
from leco.model import MultiExitModel, build_model, load_backbone, load_model
from leco.model.statistics import state_statistics
from leco.options import taking
from leco.preparation import Job, open_job
from leco.presets import DEFAULT_PRESET, FIT, SEARCH, TRAIN, build_options
from leco.processes import on_first
from leco.progress import say
from leco.search.model import SearchModel
from leco.search.searcher import Searcher, SearchResult, SearchSetup
from leco.settings import LEARNED, ExitOptions
from leco.sketches import MADE
from leco.training.callbacks import Checking
from leco.training.log import TRAINING, TrainingLog
from leco.training.trainer import TrainingData, TrainingSetup, train_phases

ARCHITECTURES, HISTORY, RESULTS = "architectures.json", "search.json", "results.json"
CONTEST = "contest.json"
WHOLE = "whole"
"""In `work/`: the trained model with all its exits, while it is saved without some of them."""
USUAL = build_options(DEFAULT_PRESET, {})
"""The settings of a run that is given none."""


@taking(*USUAL.groups(FIT))
def fit(
    model: str,
    data: DataSource,
    output: str | Path,
    *,
    preset: str = DEFAULT_PRESET,
    callbacks: Sequence[TrainerCallback] = (),
    **options: Any,
) -> MultiExitModel:
    """Search exits, train, choose the exit criterion's settings, evaluate, save: what `leco fit` does.

    >>> import leco
    >>> model = leco.fit("encoder", "reviews.csv", "served", preset="quick", exits="linear", epochs=1, repeats=1)
    >>> sorted(path.name for path in Path("served").glob("*.json"))[-3:]
    ['tokenizer.json', 'tokenizer_config.json', 'training.json']
    >>> model.predict(["a good film"])[0].exit_layer in (1, 2, 3)
    True

    Args:
        model: a pretrained encoder, by folder or by its name on the Hub.
        data: `glue/TASK`, a file, a folder or a Hub data set's name; or data in memory, a pandas DataFrame, a
            `datasets.Dataset` or `DatasetDict`, or a dictionary of such tables by split.
        output: the folder for the model and all results; a killed run continues there.
        preset: a named set of options, `quick`, `sampling` (a longer search, by sampling, and a higher rate of
            exits) or `paper` (section 6.3 to the letter).
        callbacks: callbacks of Transformers' Trainer, for the training.
        options: the settings below, in place of the preset's; the defaults shown are those with the preset `sampling`.

    Returns:
        The trained model with its criterion chosen. `OUTPUT/results.json` has the evaluation.

    Raises:
        LecoError: for anything that the user can repair.

    """
    with open_job(model, data, output, build_options(preset, options, FIT), FIT) as job:
        run_training(job, callbacks)
        return finish(job, run_choice, run_calibration, run_evaluation)


@taking(*USUAL.groups(SEARCH))
def search(
    model: str, data: DataSource, output: str | Path, *, preset: str = DEFAULT_PRESET, **options: Any
) -> list[ExitArchitecture]:
    """Search the exits' architectures alone, and give one for each layer: what `leco search` does.

    `model`, `data`, `output`, `preset` and the options are those of `fit`. `OUTPUT/architectures.json` has the
    architectures, for `exits`; `search.json` and `search.png` have the search's history. LecoError for anything that
    the user can repair.

    Source: LECO, section 4.
    """
    settings = replace(build_options(preset, options, SEARCH), exits=ExitOptions(LEARNED))
    with open_job(model, data, output, settings, SEARCH) as job:
        found = run_search(job)
        on_first(partial(shutil.rmtree, job.work, ignore_errors=True))
    return found


@taking(*USUAL.groups(TRAIN))
def train(
    model: str,
    data: DataSource,
    output: str | Path,
    *,
    preset: str = DEFAULT_PRESET,
    callbacks: Sequence[TrainerCallback] = (),
    **options: Any,
) -> MultiExitModel:
    """Train a multi-exit model and choose its criterion, without an evaluation: what `leco train` does.

    `model`, `data`, `output`, `preset`, `callbacks` and the options are those of `fit`; exits are searched unless
    `exits` names some. LecoError for anything that the user can repair.

    >>> import leco
    >>> model = leco.train("encoder", "reviews.csv", "trained", preset="quick", exits="mha", epochs=1)
    >>> [str(exit_) for exit_ in model.config.exits][0]
    'tanh | mha_dot + null | cls | tanh'
    """
    with open_job(model, data, output, build_options(preset, options, TRAIN), TRAIN) as job:
        run_training(job, callbacks)
        return finish(job, run_choice, run_calibration)


def finish(job: Job, *steps: Callable[[Job, MultiExitModel], MultiExitModel]) -> MultiExitModel:
    """Take the steps after the training, and give the model. Of several processes the first takes them; others wait."""
    made = []

    def take() -> None:
        model = trained_model(job)
        for step in steps:
            model = step(job, model)
        made.append(model)

    on_first(take)
    return made[0] if made else load_model(job.folder, job.options.run.device)


def run_search(job: Job) -> list[ExitArchitecture]:
    """Search the exits' architectures, or read them where they have been found."""
    path = job.folder / ARCHITECTURES
    if not on_first(path.exists):
        run, methods = job.options.run, job.methods
        backbone = load_backbone(job.encoder.name, methods.device, run.layers)
        states = read_states(job, backbone, range(1, job.encoder.num_layers + 1))
        set_seed(run.seed)
        model = SearchModel(
            backbone,
            methods.space,
            job.data.num_outputs,
            run.exit_dropout,
            methods.relaxation.parameters,
            None if states is None else states.tokens,
        ).to(methods.device)
        setup = SearchSetup(run, job.options.search, methods.relaxation)
        searcher = Searcher(model, job.dataset("train"), job.encoder.tokenizer, job.problem, setup)
        found = searcher.search(job.work / "search.pt", check=job.hold.check)
        on_first(partial(save_search, job, found))
    on_first(partial((job.work / "search.pt").unlink, missing_ok=True))
    return load_architectures(path, job.encoder.num_layers)


def save_search(job: Job, found: SearchResult) -> None:
    """Leave what a search has found in the output folder, the architectures last."""
    found.history.draw(job.folder / "search.png")
    found.history.save(job.folder / HISTORY)
    save_architectures(job.folder / ARCHITECTURES, found.architectures)


def run_training(job: Job, callbacks: Sequence[TrainerCallback] = ()) -> None:
    """Train the multi-exit model and save it in the output folder, unless it is there, or go on with it."""
    if on_first((job.folder / TRAINING).exists):
        train_further(job, callbacks)
    else:
        found = job.encoder.architectures or run_search(job)
        run, exit_layers = job.options.run, job.encoder.exit_layers
        backbone = load_backbone(job.encoder.name, job.methods.device, run.layers)
        states = read_states(job, backbone, exit_layers)
        set_seed(run.seed)
        model = build_model(
            backbone,
            [found[layer - 1] if layer else embeddings_exit(found[0]) for layer in exit_layers],
            job.data.output_names,
            problem_type=job.data.problem_type,
            label_statistics=asdict(job.problem.statistics),
            exit_dropout=run.exit_dropout,
            max_tokens=run.max_length,
            states=states,
            exit_layers=Task(1, len(found), exit_layers=exit_layers).named_layers or None,
        )
        model.tokenizer = job.encoder.tokenizer
        model.config.trained_on = job.data.provenance.to_dict()
        log = run_phases(job, model, callbacks)
        on_first(partial(save_training, job, model, log))
    on_first(partial(clear_work, job))


def save_training(job: Job, model: MultiExitModel, log: TrainingLog) -> None:
    """Save a trained model in the output folder, its log last."""
    save_model(model, job.folder, job.work / "model")
    replace(log, preset=job.options.preset).save(job.folder / TRAINING)


def clear_work(job: Job) -> None:
    """Remove what the training needed to continue."""
    if (job.folder / "config.json").exists():  # if not, a run was killed while it saved a model without some exits
        shutil.rmtree(job.work, ignore_errors=True)


def run_phases(
    job: Job, model: MultiExitModel, callbacks: Sequence[TrainerCallback], before: TrainingLog | None = None
) -> TrainingLog:
    """Train `model` for the run's epochs, but for those that it has had `before`."""
    data = TrainingData(job.dataset("train"), job.dataset("dev"), job.data.metric)
    folder, done = (further_work(job, before), before.done) if before else (job.work, {})
    setup = TrainingSetup(job.options.run, job.options.training, job.methods.strategy, done)
    return train_phases(model, data, setup, folder, [Checking(partial(on_first, job.hold.check)), *callbacks])


def further_work(job: Job, before: TrainingLog) -> Path:
    """Where a training that goes on after that `before` keeps its state: no other one's is found there."""
    return job.work / f"from-{min(before.done.values())}"


def train_further(job: Job, callbacks: Sequence[TrainerCallback]) -> None:
    """Train the finished model in the folder for the epochs that the run has more by now, if it has.

    It begins from the saved weights, with a fresh optimizer and a rate that rises and falls anew. Where no epoch scores
    better on dev than those before, the model stays as it is, and all that was made of it.
    """
    before, epochs = TrainingLog.load(job.folder / TRAINING), job.options.training.epochs
    if before.planned >= epochs:
        return
    start = further_work(job, before) / "start"
    on_first(partial(keep_copy, job, start))
    say(
        f"'{job.folder}' has {before.extent}: those up to {epochs} begin from its weights, with a fresh "
        "optimizer and a learning rate that rises and falls anew."
    )
    model = load_model(start, job.options.run.device)
    states = read_states(job, model.backbone, model.task.exit_layers)
    set_seed(job.options.run.seed)
    if states is not None:
        model.exits.unfold(states)
    log = run_phases(job, model, callbacks, before)
    on_first(partial(save_further, job, model, before, log))


def save_further(job: Job, model: MultiExitModel, before: TrainingLog, log: TrainingLog) -> None:
    """Save a model that was trained further, if it is better than before, and the log of both trainings."""
    last = job.methods.strategy.phases(model.task.num_exits)[-1]
    if log.best(last.name, last.selects) > before.best(last.name, last.selects):
        model.config.exit_criterion = model.config.certificate = None
        for name in (RESULTS, EVALUATION, CONTEST, ORDER, PRUNING, "config.json"):  # of the former weights
            (job.folder / name).unlink(missing_ok=True)
        save_model(model, job.folder, job.work / "model")
    else:
        say("No further epoch scored better on dev: the model stays as it was.")
    before.then(log).save(job.folder / TRAINING)


def read_states(job: Job, backbone: PreTrainedModel, layers: Sequence[int]) -> StateStatistics | None:
    """The statistics by which the exits on some layers standardize what they read, if they are to."""
    run, texts = job.options.run, job.dataset("train")
    if not run.standardize:
        return None
    return state_statistics(backbone, texts, job.encoder.tokenizer, layers, seed=run.seed, bf16=run.bf16)


def trained_model(job: Job) -> MultiExitModel:
    """The model that was trained, with all its exits where a run was killed while it saved it without some."""
    is_whole = (job.folder / "config.json").exists() or not (job.work / WHOLE).exists()
    return load_model(job.folder if is_whole else job.work / WHOLE, job.options.run.device)


def run_choice(job: Job, model: MultiExitModel) -> MultiExitModel:
    """Choose criterion and settings on dev, unless they are given, and keep them in the model's configuration.

    Where exits are to be dropped, this is done by the criterion that is chosen first, and then it is chosen anew.
    """
    if model.config.exit_criterion is not None:
        return model
    chosen = job.methods.criterion or run_contest(job, model)
    dropped = job.methods.prunes and run_pruning(job, model, chosen)
    model.config.exit_criterion = (run_contest(job, model) if dropped else chosen).to_dict()
    job.hold.check()
    if dropped:
        keep_copy(job, job.work / WHOLE)
        (job.folder / "config.json").unlink(missing_ok=True)  # without it there is no model until it is whole again
        save_model(model, job.folder, job.work / "model")
        shutil.rmtree(job.work, ignore_errors=True)
    else:
        model.config.save(job.folder)
    return model


def run_calibration(job: Job, model: MultiExitModel) -> MultiExitModel:
    """Certify what the chosen settings cost at most, where rows were set aside for that; the model, with that.

    Rows that are not new to the model certify nothing, and a line says so.
    """
    rows, config = job.data.calibration, model.config
    if rows is not None and config.certificate is None and config.criterion != model.full_depth:
        where = f"{parameter('data')} '{job.data.name}' (its calibration rows)"
        try:
            check_new(where, rows, job.data.provenance.seen, MADE)
        except LecoError as error:
            say(f"No certificate is made: {error}")
            return model
        made = Calibration(model, job.data.name, rows, CalibrationOptions()).statement()
        config.certificate = made.to_dict()
        job.hold.check()
        config.save(job.folder)
    return model


def run_contest(job: Job, model: MultiExitModel) -> Criterion:
    """Let the criteria compete on dev; what came of it is left in the folder, and their settings in order."""
    kinds, dev = outputs_to_choose_by(model, job.tokenized, job.methods.criteria)
    contest = hold_contest(kinds, dev, model.task, job.options.choice.max_drop)
    job.hold.check()
    order_on(dev, kinds, model.task, f"dev of {job.data.name}").save(job.folder / ORDER)
    write_json(job.folder / CONTEST, asdict(contest))
    return contest.criterion


def run_pruning(job: Job, model: MultiExitModel, chosen: Criterion) -> bool:
    """Drop the exits of the model that are not worth their time, and say which; whether there are any."""
    before = model.task.num_exits
    found = prune_exits(model, job.tokenized, type(chosen), job.options.choice.max_drop)
    job.hold.check()
    found.save(job.folder / PRUNING)
    layers = ", ".join(map(str, found.exit_layers))
    say(
        f"Of {before} exits those on layers {layers} are kept: by dev, texts then take {found.saved:.1%} less time "
        f"by '{chosen.name}'."
    )
    return found.drops


def keep_copy(job: Job, path: Path) -> None:
    """Copy the model in the run's folder to `path` in its `work/`, whole or not at all, unless it is there."""
    if not path.exists():
        shutil.rmtree(job.work / "copy", ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        load_model(job.folder).save_pretrained(job.work / "copy")
        (job.work / "copy").rename(path)


def run_evaluation(job: Job, model: MultiExitModel) -> MultiExitModel:
    """Evaluate on test, and write the curve, the model card and last the results, unless they are there; the model."""
    path = job.folder / RESULTS
    if path.exists():
        return model
    found = evaluate(model, job.tokenized, **asdict(job.options.timing))
    job.hold.check()
    shares = [1 - layer / model.num_layers for layer in found.layers_with_exits]
    one_layer = dict(zip(shares, found.exit_scores, strict=True))
    draw_curves([job.folder / "curve.png"], found.curves, found.metric, one_layer)
    results = found.to_dict()
    training = asdict(TrainingLog.load(job.folder / TRAINING))
    settings = job.options.identity(FIT)
    write_text(job.folder / "README.md", model_card(model, job.encoder.name, settings, training, results))
    write_json(path, results)
    return model


def save_model(model: MultiExitModel, folder: Path, work: Path) -> None:
    """Save model and tokenizer into `folder` by way of `work`, file by file and each whole, the configuration last.

    Until the configuration is there the folder is no model folder, so that a killed run leaves none that is broken.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    model.save_pretrained(work)
    permissions = (work / "config.json").stat().st_mode  # those that the umask leaves; the weights have less
    for path in sorted(work.iterdir(), key=lambda path: path.name == "config.json"):
        path.chmod(permissions)
        path.replace(folder / path.name)
