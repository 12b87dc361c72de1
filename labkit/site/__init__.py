"""The website: pages from the snippets with the outputs of the last full run, and reference pages from the code."""
