"""What `predict` is given, checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, cast

from leco.display import listed, shortened
from leco.errors import LecoError
from leco.provenance import Provenance, check_pair
from leco.tokens import Text, half_character

MOST_THREADS = 1024


def check_batch_size(batch_size: Any) -> None:
    """LecoError unless it is a whole number from 1."""
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise LecoError(f"The batch size must be a whole number, at least 1, not {shortened(repr(batch_size))}.")


def check_threads(threads: Any) -> None:
    """LecoError unless it is None or a whole number from 1 to `MOST_THREADS`."""
    if threads is not None and not (isinstance(threads, int) and 1 <= threads <= MOST_THREADS):
        raise LecoError(f"The threads must be a whole number from 1 to {MOST_THREADS}, not {shortened(repr(threads))}.")


def checked(texts: Any, columns: Sequence[str] | None = None) -> Iterator[Text]:
    """The texts in their own order, pairs as tuples; LecoError for what is no iterable of them, and with its number for
    what is no text.

    Of a table (pandas, datasets, polars, pyarrow) they are in its `columns`, or in the only one it has.

    >>> list(checked(["a text", ["a", "pair"]]))
    ['a text', ('a', 'pair')]
    """
    try:
        given = None if isinstance(texts, str | bytes | Mapping) else iter(_of_table(texts, columns))
    except TypeError:
        given = None
    if given is None:
        raise LecoError(
            f"predict answers a list of texts, not {shortened(repr(texts))}: write predict([text]), "
            "or predict([(first, second)]) for a pair."
        )
    return (_text(number, text) for number, text in enumerate(given, start=1))


def _of_table(texts: Any, columns: Sequence[str] | None) -> Iterable[Any]:
    """What a table has in its text columns; all else as it is, for which the order of iterating counts, no index."""
    names = getattr(texts, "column_names", getattr(texts, "columns", None))
    if names is None:
        return cast("Iterable[Any]", texts)
    known = list(map(str, names))
    if not known:
        raise LecoError("The table has no columns; an index is none. Give its reset_index(), or a list of texts.")
    wanted = list(known if len(known) == 1 else columns or ())
    if not wanted or not {*wanted} <= {*known}:
        missing = f"{' and '.join(map(repr, wanted))} as the model was trained on" if wanted else "one column alone"
        raise LecoError(
            f"The table has the columns {listed(known)}, not {missing}. Give its texts: predict(table['text']), or "
            "predict(zip(table['first'], table['second'])) for pairs."
        )
    if twice := [name for name in wanted if known.count(name) > 1]:
        raise LecoError(f"The table has several columns {twice[0]!r}. Give the texts of one: predict(list of texts).")
    columns = [texts[names[known.index(name)]] for name in wanted]  # pandas' names may be numbers
    return columns[0] if len(columns) == 1 else zip(*columns, strict=True)


def _plain(value: Any) -> Any:
    """A value of Arrow or a row of an array as Python has it; any other as it is."""
    convert = getattr(value, "as_py", getattr(value, "tolist", None))
    return convert() if callable(convert) else value


def checked_kind(texts: Iterable[Text], trained_on: Provenance | None, first: int = 1) -> Iterator[Text]:
    """The texts; LecoError for a pair of a model that was trained on single texts, or the other way round."""
    for number, text in enumerate(texts, start=first):
        check_pair(trained_on, isinstance(text, tuple), f"Text {number} is one of")
        yield text


def _text(number: int, text: Any) -> Text:
    text = _plain(text)
    pair = isinstance(text, tuple | list)
    parts = tuple(map(_plain, text)) if pair else (text,)
    if len(parts) > 2 or len(parts) < 1 + pair or not all(isinstance(part, str) for part in parts):
        raise LecoError(f"Text {number} is {shortened(repr(text))}, which is neither a text nor a pair of texts.")
    for part in parts:
        if half := half_character(part):
            raise LecoError(f"Text {number} {half}")
    return parts if pair else parts[0]
