"""Errors in the shapes and words of the real services."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

NOVA_NAMES = {400: "badRequest", 403: "forbidden", 404: "itemNotFound", 409: "conflictingRequest"}
KEYSTONE_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
UNAUTHORIZED = "The request you have made requires authentication."


class ServiceError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


def nova(status: int, message: str) -> ServiceError:
    """Such as {"forbidden": {"code": 403, "message": "Quota exceeded…"}}."""
    return ServiceError(status, {NOVA_NAMES[status]: {"code": status, "message": message}})


def neutron(status: int, kind: str, message: str) -> ServiceError:
    """Such as {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded…", "detail": ""}}."""
    return ServiceError(status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})


def blazar(status: int, message: str) -> ServiceError:
    """Blazar's `render_error_message`."""
    return ServiceError(status, {"error_code": status, "error_message": message, "error_name": status})


def keystone(status: int, message: str) -> ServiceError:
    """Keystone's own errors, and of the token check that stands before the other services."""
    return ServiceError(status, {"error": {"code": status, "message": message, "title": KEYSTONE_TITLES[status]}})


def glance(status: int, message: str) -> ServiceError:
    """Glance answers in HTML; what python-glanceclient reads of it is the status."""
    return ServiceError(status, {"message": message, "code": f"{status}", "title": KEYSTONE_TITLES.get(status, "")})


async def render(_: Request, error: Exception) -> JSONResponse:
    """The answer for an error, as an exception handler of FastAPI."""
    assert isinstance(error, ServiceError)
    return JSONResponse(error.body, error.status)
