"""HTTP towards the API: every write carries its idempotency key and is repeated until the API has answered it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

logger = structlog.get_logger()

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
IMPORT_TIMEOUT = aiohttp.ClientTimeout(total=180, sock_connect=5)
LONGEST_WAIT_SECONDS = 5.0
LONGEST_RETRY_AFTER_SECONDS = 30.0
TOO_MANY_REQUESTS = 429
CLIENT_ERROR, SERVER_ERROR = 400, 500
JITTER = wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT_SECONDS)


class Refused(Exception):
    """The API understood the request and refused it for good."""

    def __init__(self, status: int, error: str, detail: str) -> None:
        super().__init__(f"{status} {error}: {detail}")
        self.status, self.error, self.detail = status, error, detail


class Unavailable(Exception):
    """The API did not answer, or could not do it now; the same request may be sent again."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes something. `body` makes the body anew for each try; `token` is None at registration."""

    method: str
    path: str
    key: str
    token: str | None = None
    json: bytes | None = None
    form: Callable[[], aiohttp.FormData] | None = None
    timeout: aiohttp.ClientTimeout = TIMEOUT


def wait_seconds(state: RetryCallState) -> float:
    """The pause before the next try: jittered and growing, and no shorter than what the API asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Unavailable) else 0.0
    return min(asked, LONGEST_RETRY_AFTER_SECONDS) + float(JITTER(state))


class ApiClient:
    """Connections to one API. Use as an async context manager."""

    def __init__(self, url: str, connections: int) -> None:
        self.retries = 0
        self._url = url.rstrip("/")
        self._connections = connections
        self._down_since: float | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self._connections, force_close=False)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def is_down(self) -> bool:
        """Whether the last answer was none."""
        return self._down_since is not None

    async def write(self, request: Write) -> dict[str, Any]:
        """The API's answer to a write, however often it must be sent; every time with the same key.

        Raises:
            Refused: the API answered with a 4xx.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Unavailable), wait=wait_seconds, before_sleep=self._unanswered, reraise=True
        )
        answer: dict[str, Any] = await retrying(self._send, request)
        return answer

    async def _send(self, request: Write) -> dict[str, Any]:
        headers = {"Idempotency-Key": request.key}
        if request.token is not None:
            headers["Authorization"] = f"Bearer {request.token}"
        if request.json is not None:
            headers["Content-Type"] = "application/json"
        data = request.form() if request.form is not None else request.json
        try:
            async with self._session.request(
                request.method, self._url + request.path, data=data, headers=headers, timeout=request.timeout
            ) as response:
                body, status, asked = await response.read(), response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        if status >= SERVER_ERROR or status == TOO_MANY_REQUESTS:
            raise Unavailable(f"status {status}", float(asked) if asked.isdigit() else 0.0)
        self._answered()
        if status >= CLIENT_ERROR:
            raise refusal(status, body)
        return msgspec.json.decode(body, type=dict[str, Any]) if body else {}

    def _answered(self) -> None:
        if self._down_since is not None:
            logger.info("the API answers again after %.0f s", time.monotonic() - self._down_since)
            self._down_since = None

    def _unanswered(self, state: RetryCallState) -> None:
        self.retries += 1
        if self._down_since is None:
            self._down_since = time.monotonic()
            reason = state.outcome.exception() if state.outcome else None
            logger.warning("the API at %s cannot do it now (%s); repeating with the same keys", self._url, reason)


def refusal(status: int, body: bytes) -> Refused:
    """The error that a 4xx answer describes."""
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        told = {}
    return Refused(
        status, str(told.get("error", "unknown")), str(told.get("detail", body[:200].decode(errors="replace")))
    )
