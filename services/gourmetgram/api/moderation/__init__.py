"""The review queue: what waits for a person, what is known about it, and what people decided."""
