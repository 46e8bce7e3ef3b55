"""What `leco predict` says of each row of its input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from leco.errors import parameter
from leco.runtime import Watched
from leco.runtime.texts import checked_kind
from leco.tokens import cut_line

if TYPE_CHECKING:
    from leco.criteria import Criterion
    from leco.data import Rows
    from leco.runtime import Answer, Predictor

Empty = Literal["null", "answer"]
Scores = Literal["label", "all"]


@dataclass
class Answering:
    """Answers rows, one for each, and counts them."""

    predictor: "Predictor"
    criterion: "Criterion | None"
    batch_size: int
    empty: Empty
    scores: Scores
    rows: int = 0
    without_text: int = 0
    cut: list[int] = field(default_factory=list)

    def answer(self, rows: "Rows") -> list[dict[str, Any]]:
        """An object for each row; its label is None where there is no text, unless empty texts are answered."""
        asked = [row for row, missing in enumerate(rows.missing) if missing is None or self.empty == "answer"]
        texts = list(checked_kind(rows.texts, self.predictor.trained_on, first=self.rows + 1))
        encodings = self.predictor.encode([texts[row] for row in asked], self.cut.append)
        found = dict(zip(asked, self.predictor.answer(encodings, self.criterion, self.batch_size), strict=True))
        self.rows += len(rows.texts)
        self.without_text += sum(missing is not None for missing in rows.missing)
        return [self._object(found.get(row), missing) for row, missing in enumerate(rows.missing)]

    def notes(self) -> list[str]:
        """What is to be said of all rows."""
        lines = []
        if self.without_text:
            how = "they are answered as they are" if self.empty == "answer" else "their label is null"
            lines.append(f"{self.without_text} of {self.rows} rows have no text: {how} ({parameter('empty')}).")
        if sum(self.cut):
            lines.append(cut_line(sum(self.cut), self.rows, self.predictor.max_length))
        if isinstance(self.predictor, Watched):
            lines.append(self.predictor.check(self.batch_size).sentence())
        return lines

    def _object(self, answer: "Answer | None", missing: str | None) -> dict[str, Any]:
        if answer is None:
            return {"label": None, "score": None, "exit_layer": None, "reason": missing}
        score = answer.scores[answer.label] if isinstance(answer.label, str) else None
        made: dict[str, Any] = {"label": answer.label, "score": score, "exit_layer": answer.exit_layer}
        if self.scores == "all":
            made["scores"] = answer.scores
        return {**made, "empty": True} if missing else made


def in_columns(objects: Sequence[Mapping[str, Any]], *, flat: bool) -> dict[str, list[Any]]:
    """The answers by name; `flat` gives each label's score a column of its own, `score_LABEL`."""
    if flat:
        objects = [_flattened(one) for one in objects]
    return {name: [one.get(name) for one in objects] for name in dict.fromkeys(name for one in objects for name in one)}


def _flattened(value: Mapping[str, Any]) -> dict[str, Any]:
    scores = {f"score_{label}": score for label, score in (value.get("scores") or {}).items()}
    return {**{name: part for name, part in value.items() if name != "scores"}, **scores}
