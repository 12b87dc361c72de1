"""The services of GourmetGram."""
