"""What `leco predict` says of each row of its input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leco.bulk.options import ALL, ANSWER
from leco.errors import parameter
from leco.runtime import Watched, encoded
from leco.runtime.texts import checked_kind
from leco.tokens import cut_line

if TYPE_CHECKING:
    from leco.criteria import Criterion
    from leco.data import Rows
    from leco.runtime import Answer, Predictor
    from leco.tokens import Encoding, Text


@dataclass
class Answering:
    """Answers rows, one for each, and counts them."""

    predictor: "Predictor"
    criterion: "Criterion | None"
    batch_size: int
    empty: str
    scores: str
    rows: int = 0
    without_text: int = 0
    truncated: int = 0

    def answer(self, rows: "Rows") -> list[dict[str, Any]]:
        """An object for each row; its label is None where there is no text, unless empty texts are answered."""
        asked, texts = self._asked(rows)
        return self._objects(rows, asked, self.predictor.encode(texts, self._count))

    def answer_with_cuts(self, rows: "Rows") -> list[dict[str, Any]]:
        """The same, with `truncated`, whether the text was cut."""
        asked, texts = self._asked(rows)
        encodings, cut = encoded(self.predictor, texts)
        self._count(sum(cut))
        truncated = dict(zip(asked, cut, strict=True))
        return [
            {**one, "truncated": truncated.get(row)} for row, one in enumerate(self._objects(rows, asked, encodings))
        ]

    def notes(self) -> list[str]:
        """What is to be said of all rows, and, where it has not been told yet, what the monitor has seen."""
        lines = notes(self.rows, self.without_text, self.truncated, empty=self.empty, longest=self.predictor.max_length)
        if isinstance(self.predictor, Watched):
            seen = self.predictor.check(self.batch_size)
            lines += [] if self.predictor.told else [seen.sentence()]
        return lines

    def _asked(self, rows: "Rows") -> "tuple[list[int], list[Text]]":
        """The places of the rows that are answered, and their texts."""
        asked = [row for row, missing in enumerate(rows.missing) if missing is None or self.empty == ANSWER]
        texts = list(checked_kind(rows.texts, self.predictor.trained_on, first=self.rows + 1))
        return asked, [texts[row] for row in asked]

    def _objects(self, rows: "Rows", asked: list[int], encodings: "list[Encoding]") -> list[dict[str, Any]]:
        found = dict(zip(asked, self.predictor.answer(encodings, self.criterion, self.batch_size), strict=True))
        self.rows += len(rows.texts)
        self.without_text += sum(missing is not None for missing in rows.missing)
        return [self._object(found.get(row), missing) for row, missing in enumerate(rows.missing)]

    def _object(self, answer: "Answer | None", missing: str | None) -> dict[str, Any]:
        if answer is None:
            return {"label": None, "score": None, "exit_layer": None, "reason": missing}
        score = answer.scores[answer.label] if isinstance(answer.label, str) else None
        made: dict[str, Any] = {"label": answer.label, "score": score, "exit_layer": answer.exit_layer}
        if self.scores == ALL:
            made["scores"] = answer.scores
        return {**made, "empty": True} if missing else made

    def _count(self, cut: int) -> None:
        self.truncated += cut


def notes(rows: int, without_text: int, truncated: int, *, empty: str, longest: int) -> list[str]:
    """What is to be said of rows of which so many have no text, or one that is longer than `longest` tokens."""
    lines = []
    if without_text:
        how = "they are answered as they are" if empty == ANSWER else "their label is null"
        lines.append(f"{without_text} of {rows} rows have no text: {how} ({parameter('empty')}).")
    if truncated:
        lines.append(cut_line(truncated, rows, longest))
    return lines


def in_columns(objects: Sequence[Mapping[str, Any]], *, flat: bool) -> dict[str, list[Any]]:
    """The answers by name; `flat` gives each label's score a column of its own, `score_LABEL`."""
    if flat:
        objects = list(map(flattened, objects))
    return {name: [one.get(name) for one in objects] for name in dict.fromkeys(name for one in objects for name in one)}


def flattened(value: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with each label's score as `score_LABEL`."""
    scores = {f"score_{label}": score for label, score in (value.get("scores") or {}).items()}
    return {**{name: part for name, part in value.items() if name != "scores"}, **scores}
