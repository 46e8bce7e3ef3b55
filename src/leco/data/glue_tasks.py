"""The GLUE tasks as data: files, columns, labels, scores and split rules (section 6.1)."""

from dataclasses import dataclass

from leco.problems import REGRESSION, SINGLE_LABEL


@dataclass(frozen=True)
class GlueTask:
    """Where a task's texts and labels are.

    `label_names` are in the order of GLUE's own integers, `codes` are what the files write for them. `halved` tasks
    have fewer than 10,000 training rows: half of the original dev set is dev, half test. `header` is for files
    without one, `hub_columns` for texts that the Hub names otherwise.
    """

    folder: str
    text_columns: tuple[str, ...]
    label_column: str
    label_names: tuple[str, ...]
    codes: tuple[str, ...] = ("0", "1")
    metric: str = "accuracy"
    halved: bool = False
    dev_files: tuple[str, ...] = ("dev",)
    header: tuple[str, ...] | None = None
    hub_columns: tuple[str, ...] | None = None
    problem_type: str = SINGLE_LABEL


SENTENCES = ("sentence1", "sentence2")
QUESTIONS = ("question1", "question2")
ENTAILMENT = ("entailment", "not_entailment")
NLI = ("entailment", "neutral", "contradiction")
EQUIVALENT = ("not_equivalent", "equivalent")
DUPLICATE = ("not_duplicate", "duplicate")
COLA_HEADER = ("source", "label", "mark", "sentence")

GLUE_TASKS = {
    "rte": GlueTask("RTE", SENTENCES, "label", ENTAILMENT, ENTAILMENT, halved=True),
    "mrpc": GlueTask(
        "MRPC",
        ("#1 String", "#2 String"),
        "Quality",
        EQUIVALENT,
        metric="accuracy_f1",
        halved=True,
        hub_columns=SENTENCES,
    ),
    "cola": GlueTask(
        "CoLA",
        ("sentence",),
        "label",
        ("unacceptable", "acceptable"),
        metric="matthews",
        halved=True,
        header=COLA_HEADER,
    ),
    "sst2": GlueTask("SST-2", ("sentence",), "label", ("negative", "positive")),
    "qnli": GlueTask("QNLI", ("question", "sentence"), "label", ENTAILMENT, ENTAILMENT),
    "qqp": GlueTask("QQP", QUESTIONS, "is_duplicate", DUPLICATE, metric="accuracy_f1"),
    "mnli": GlueTask(
        "MNLI",
        SENTENCES,
        "gold_label",
        NLI,
        NLI,
        dev_files=("dev_matched", "dev_mismatched"),
        hub_columns=("premise", "hypothesis"),
    ),
    "stsb": GlueTask(
        "STS-B", SENTENCES, "score", (), (), metric="pearson_spearman", halved=True, problem_type=REGRESSION
    ),
}
"""GLUE's tasks, by the name behind `glue/`."""
