"""Messages of the library on the command line: a parameter's name is shown as the flag that sets it."""

from collections.abc import Callable
from functools import cache

import typer


def flags(app: typer.Typer) -> Callable[[str], str]:
    """What shows a parameter as the flag, or the argument's name in the help, of a command that has it."""

    @cache
    def table() -> dict[str, str]:
        commands = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]  # it is a group
        parameters = [parameter for command in commands for parameter in command.params]
        switches = [one for one in parameters if one.secondary_opts]
        return {
            **{one.name: one.opts[0] if one.opts[0].startswith("-") else one.metavar.strip("[]") for one in parameters},
            **{f"{one.name}=True": one.opts[0] for one in switches},
            **{f"{one.name}=False": one.secondary_opts[0] for one in switches},
        }

    return lambda name: table().get(name, name)
