"""`python -m pages`: write the generated references and pictures into docs/, where git ignores them."""

from leco.files import write_text
from pages import DOCS, command_line, pictures, python, settings


def main() -> None:
    """Write them all anew."""
    made = {"reference/cli.md": command_line.page(), "reference/settings.md": settings.page()}
    made |= {f"reference/python/{module}.md": python.page(module) for module in python.MODULES}
    made |= {f"{pictures.FOLDER}/{name}.svg": draw() for name, draw in pictures.PICTURES.items()}
    for name, text in made.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(DOCS / name, text)


if __name__ == "__main__":
    main()
