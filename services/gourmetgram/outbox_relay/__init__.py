"""The outbox relay: moves committed events from PostgreSQL's outbox table to Kafka, in order, losing none."""
