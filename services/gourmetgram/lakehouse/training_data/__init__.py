"""The table that models are trained on: who is in it, what each row knows, and where it came from."""
