"""One-shot services: each prepares something once and ends. Running one again changes nothing."""
