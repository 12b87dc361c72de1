"""Keeps the scorer up to date: which mode is set in PostgreSQL, and which model the pointer in object storage names.

It looks from a thread of its own, so that no request waits for it. A model is taken over whole, or refused while the
one before it goes on; a server that is away changes nothing.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Protocol

import psycopg2
import structlog

from gourmetgram.core.moderation import Mode
from gourmetgram.risk_scoring.metrics import Metrics
from gourmetgram.risk_scoring.serving import RULES_ALONE, Model, Serving
from gourmetgram.training.errors import ModelRefused

log = structlog.get_logger("risk_scoring")


class ModeStore(Protocol):
    """Where the mode is set, and where it is written down which models were loaded."""

    def mode(self) -> Mode:
        """The mode that was set last."""

    def loaded(self, version: str, metadata: str) -> None:
        """Write down that a model was loaded."""

    def close(self) -> None:
        """End the session."""


class Models(Protocol):
    """Where the models are."""

    def deployed(self) -> str | None:
        """The version that the pointer names, if there is a pointer.

        Raises:
            ModelRefused: the pointer cannot be read.
            StorageAway: nobody answers.
        """

    def load(self, version: str) -> tuple[Model, str]:
        """A model, and its metadata as JSON.

        Raises:
            ModelRefused: it must not be used; the message says why.
            StorageAway: nobody answers.
        """


class StorageAway(Exception):
    """Object storage does not answer as it should."""


class Deployment:
    """Who decides at the moment; `current` may be asked at any time and from any thread."""

    def __init__(
        self, *, open_store: Callable[[], ModeStore], models: Models | None, metrics: Metrics, seconds: float
    ) -> None:
        self._open_store = open_store
        self._models = models
        self._metrics = metrics
        self._seconds = seconds
        self._serving = RULES_ALONE
        self._complaint = ""
        self._wake = threading.Event()

    def current(self) -> Serving:
        """Who decides."""
        return self._serving

    def start(self) -> None:
        """Look once, so that the first request is decided by whom it should, and then from time to time."""
        self.refresh()
        threading.Thread(target=self._run, name="deployment", daemon=True).start()

    def look(self) -> None:
        """Look at once, and not only when it is time to."""
        self._wake.set()

    def refresh(self) -> None:
        """Look, and take over what has changed; what cannot be looked at stays as it is."""
        serving = self._serving
        try:
            with closing(self._open_store()) as store:
                serving = replace(serving, mode=store.mode())
                serving = replace(serving, model=self._model(store))
            self._complaint = ""
        except (psycopg2.Error, StorageAway, ModelRefused) as error:
            self._complain(error)
        self._take_over(serving)

    def _run(self) -> None:
        while True:  # it ends with the process
            self._wake.wait(self._seconds)
            self._wake.clear()
            self.refresh()

    def _model(self, store: ModeStore) -> Model | None:
        """The model that is deployed; the present one again if it is the same version, for versions never change."""
        version = self._models.deployed() if self._models else None
        if version is None or self._models is None:
            return None
        present = self._serving.model
        if present and present.version == version:
            return present
        model, metadata = self._models.load(version)
        store.loaded(version, metadata)
        return model

    def _take_over(self, serving: Serving) -> None:
        if serving == self._serving:
            return
        self._serving = serving
        self._metrics.serving(serving)
        log.info("serving", **serving.told())

    def _complain(self, error: Exception) -> None:
        """Once for each reason: it is looked at often."""
        complaint = f"{type(error).__name__}: {str(error).strip()}"
        self._metrics.refusals.inc()
        if complaint != self._complaint:
            self._complaint = complaint
            log.error("nothing is taken over", reason=complaint, **self._serving.told())
