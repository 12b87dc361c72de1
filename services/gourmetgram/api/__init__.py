"""The HTTP API. Version 1 keeps state only; version 2 is the same application and writes each event to the outbox."""
