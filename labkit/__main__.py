"""`python -m labkit`, which `./lab` runs."""

from labkit.cli import main

main()
