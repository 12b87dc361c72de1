"""Refusals: one shape for all, each with what was expected, what came, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

RETRY_AFTER_SECONDS = 2


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    field: str
    problem: str


class ErrorBody(BaseModel):
    """The body of every refusal."""

    error: str
    detail: str
    request_id: str
    fields: list[FieldProblem] = []


class ApiError(HTTPException):
    """A refusal with a short code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = code


class DependencyDown(ApiError):
    """A store does not answer: nothing was decided, and the same request may be sent again."""

    def __init__(self, name: str) -> None:
        super().__init__(
            503,
            "dependency_down",
            f"{name} does not answer at the moment. Send the same request again in {RETRY_AFTER_SECONDS} s; with the "
            f"same Idempotency-Key it is carried out once, whatever happened to this one.",
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )


def unknown(what: str, identifier: int) -> ApiError:
    """404: there is no such thing."""
    return ApiError(404, "not_found", f"There is no {what} with id {identifier}.")


def gone(what: str, identifier: int) -> ApiError:
    """410: it was there and was deleted."""
    return ApiError(410, "deleted", f"The {what} with id {identifier} was deleted.")


def hidden(what: str, identifier: int) -> ApiError:
    """410: it is there, and a moderator took it out of everybody's sight."""
    return ApiError(410, "hidden", f"The {what} with id {identifier} is not shown: a moderator has hidden it.")


_MEANINGS = {
    400: "the body cannot be read",
    401: "no token, or one that is not valid",
    403: "the token does not give this right",
    404: "no such thing",
    409: "contradicts what is stored",
    410: "deleted, or hidden by a moderator",
    413: "larger than allowed",
    415: "not a photo that we accept",
    422: "a value is missing or wrong",
    503: "a store does not answer; send it again after Retry-After seconds",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its OpenAPI entry."""
    return {status: {"model": ErrorBody, "description": _MEANINGS[status]} for status in statuses}


def _answer(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    fields: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = ErrorBody(
        error=code, detail=detail, request_id=request.scope.get("request_id", ""), fields=list(fields)
    ).model_dump(exclude_defaults=True)
    return JSONResponse(body, status, dict(headers or {}))


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    code = error.code if isinstance(error, ApiError) else "http_error"
    return _answer(request, error.status_code, code, str(error.detail), headers=error.headers)


async def _refuse_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    fields = [
        FieldProblem(field=".".join(map(str, problem["loc"])), problem=problem["msg"].removeprefix("Value error, "))
        for problem in error.errors()
    ]
    detail = "; ".join(f"{one.field}: {one.problem}" for one in fields[:3])
    return _answer(request, 422, "invalid", detail, fields=fields)


async def _admit(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - the server logs it
    request_id = request.scope.get("request_id", "")
    detail = f"This is a mistake of ours, not of yours. The API's log tells more under the request id {request_id}."
    return _answer(request, 500, "internal_error", detail, headers={"X-Request-ID": request_id})


def install(app: FastAPI) -> None:
    """Answer every refusal of this application in the one shape."""
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_invalid)
    app.add_exception_handler(Exception, _admit)
