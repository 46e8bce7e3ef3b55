"""Variants looked up by name: one table for each kind of thing that can be added."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from leco.errors import unknown_name

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Named variants of one `kind`; looking up an unknown name is a LecoError that lists the known ones.

    `aliases` are other spellings. They are understood wherever a name is, and never listed or written.
    """

    def __init__(self, kind: str, table: Mapping[str, T], aliases: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self._table = dict(table)
        self._aliases = dict(aliases or {})

    def name(self, name: str) -> str:
        """The canonical spelling of `name`."""
        canonical = self._aliases.get(name, name)
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
