"""One module per command of `./lab`."""
