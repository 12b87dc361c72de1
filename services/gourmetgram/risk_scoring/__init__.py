"""The risk scoring service: answers each request for moderation with one decision in PostgreSQL."""
