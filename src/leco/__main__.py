"""`python -m leco` is the command `leco`."""

from leco.cli import main

main()
