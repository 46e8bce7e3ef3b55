"""The reference of the command line, from the commands themselves."""

import inspect
import re
from collections import defaultdict
from typing import Any

import typer

from leco.cli import app
from pages import GENERATED, table

KIND = re.compile(r"<(?:list\[)?(\w+)\]?>")
"""How the help names the type of a value."""
INTRODUCTION = """# Command line

Every command takes `--json` (one JSON object on standard output, everything else on standard error) and `--help`. Exit
codes: 0; 1 where `leco verify` finds a certificate contradicted, or whoever read the output went away; 2 for a mistake
that one sentence on standard error explains; 130 where it was interrupted. How options are named in Python, and which
values they have in presets, is on the page of [settings](settings.md)."""


def page() -> str:
    """The page in Markdown."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
    return (
        "\n\n".join([GENERATED, INTRODUCTION, *(section(name, command) for name, command in commands.items())]) + "\n"
    )


def section(name: str, command: Any) -> str:
    """One command: what it does, an example, its arguments and its options by group."""
    does, _, example = inspect.cleandoc(command.help).partition("\n\nExample: ")
    context = typer.Context(command, info_name=f"leco {name}")
    groups: dict[str, list[Any]] = defaultdict(list)
    for one in command.params:
        title = "Arguments" if one.param_type_name == "argument" else getattr(one, "rich_help_panel", None) or "Options"
        groups[title].append(one)
    usage = " ".join(["leco", name, *command.collect_usage_pieces(context)])
    parts = [f"## leco {name}", does, f"```text\n{usage}\n```"]
    parts += [f"Example:\n\n```bash\n{example.strip()}\n```"] if example else []
    for title in sorted(groups, key=lambda title: (title != "Arguments", title != "Options")):
        named = "Argument" if title == "Arguments" else "Option"
        rows = [row(one, context) for one in groups[title]]
        parts.append(f"**{title}**\n\n{table([named, 'Meaning'], rows)}")
    return "\n\n".join(parts)


def row(one: Any, context: Any) -> list[str]:
    """A parameter: how it is written, and what it means, with its default where it has one of its own."""
    if one.param_type_name == "argument":
        return [f"`{one.metavar.strip('[]')}`", one.help or ""]
    names, meaning = one.get_help_record(context)
    return [f"`{KIND.sub(lambda kind: kind[1].upper(), names)}`", meaning]
