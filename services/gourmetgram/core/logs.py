"""Logs: one event a line, as JSON for machines or as readable text (`LOG_FORMAT=text`)."""

import logging
import os
import sys

import structlog


def set_up_logging(log_format: str | None = None) -> None:
    """Send structlog and the standard library's warnings to standard output.

    Args:
        log_format: `json` (the default) or `text`; the environment variable LOG_FORMAT when not given.
    """
    as_text = (log_format or os.environ.get("LOG_FORMAT", "json")) == "text"
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False) if as_text else structlog.processors.JSONRenderer()
    )
    if not as_text:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
