"""`python -m presstag.cli` is the `presstag` command."""

from presstag.cli import main

main()
