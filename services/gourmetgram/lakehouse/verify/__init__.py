"""Is what the pipeline made sound? Questions that somebody should ask every day, and their answers."""

from gourmetgram.lakehouse.verify.checks import Check, PipelineUnsound, told
from gourmetgram.lakehouse.verify.pipeline import run, verify

__all__ = ["Check", "PipelineUnsound", "run", "told", "verify"]
