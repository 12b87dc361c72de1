"""A model from the history: read as a stream, fitted batch by batch, measured on what came later, signed and stored."""
