"""From snippets to notebooks and pages: one source, several forms."""
