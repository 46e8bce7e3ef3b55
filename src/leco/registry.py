"""Variants looked up by name: one table for each kind of thing that can be added."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from leco.errors import LecoError, unknown_name
from leco.options import setting_names

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Named variants of one `kind`, those of `table`; an unknown name is a LecoError that lists the known ones.

    `aliases` are other spellings. They are understood wherever a name is, and never listed or written.

    >>> metrics = Registry("metric", {"f1_macro": max}, aliases={"macro-f1": "f1_macro"})
    >>> metrics.name("macro-f1"), list(metrics)
    ('f1_macro', ['f1_macro'])
    """

    def __init__(self, kind: str, table: Mapping[str, T], aliases: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self._table = dict(table)
        self._aliases = dict(aliases or {})

    def name(self, name: object) -> str:
        """The canonical spelling of `name`."""
        canonical = self._aliases.get(name, name) if isinstance(name, str) else ""
        if canonical not in self._table:
            raise unknown_name(self.kind, name, self._table)
        return canonical

    def __getitem__(self, name: str) -> T:
        return self._table[self.name(name)]

    def __contains__(self, name: object) -> bool:
        return name in self._table or name in self._aliases

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def parse_variant(text: str, example: str) -> tuple[str, dict[str, Any]]:
    """`NAME` or `NAME:SETTING=VALUE,...`, as on the command line, as a name and its settings.

    A LecoError shows the `example` where the `text` is not so written.

    >>> parse_variant("cobee:tau=0.1,patience=2", example="cobee")
    ('cobee', {'tau': 0.1, 'patience': 2})
    """
    name, colon, rest = text.partition(":")
    settings = {}
    for setting in rest.split(",") if colon else ():
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not (key and equals and value):
            raise LecoError(f"In '{text}', '{setting}' is not SETTING=VALUE. Write, for example, '{example}'.")
        if key in settings:
            raise LecoError(f"In '{text}', '{key}' is given twice. Leave one of them out.")
        settings[key] = _value(value)
    return name.strip(), settings


def format_settings(settings: Mapping[str, Any]) -> str:
    """Settings as on the command line, which `parse_variant` reads; a name among them is left out.

    >>> format_settings({"name": "entropy", "tau": 0.1, "normalized": True})
    'tau=0.1,normalized=true'
    """
    return ",".join(
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in settings.items()
        if name != "name"
    )


def build_variant(variants: Registry[type[T]], name: str, settings: Mapping[str, Any]) -> T:
    """The variant `name` among dataclasses, with these `settings` and its defaults; LecoError for an unknown one.

    >>> from leco.criteria import CRITERIA
    >>> build_variant(CRITERIA, "entropy", {"tau": 0.2})
    Entropy(tau=0.2, normalized=False)
    """
    variant = variants[name]
    known = setting_names(variant)
    for setting in settings:
        if setting not in known:
            raise unknown_name(f"setting of the {variants.kind} '{variants.name(name)}'", setting, known)
    return variant(**settings)


def _value(text: str) -> int | float | bool | str:
    """A number, true or false, or else the word itself."""
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
