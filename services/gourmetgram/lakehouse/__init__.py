"""The history: what the DAGs do. Events land in Iceberg once, and windows are computed from them."""
