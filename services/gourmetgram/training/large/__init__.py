"""More rows than memory holds: a large synthetic table, ways to learn from it, and a limit that some of them break."""
