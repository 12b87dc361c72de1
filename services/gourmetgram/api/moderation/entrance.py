"""Signing in and out, and what every page of the queue asks first."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from gourmetgram.api.context import Parts
from gourmetgram.api.errors import ApiError
from gourmetgram.api.moderation.rendering import HEADERS, render
from gourmetgram.api.moderation.sessions import (
    SESSION,
    SignedIn,
    form_token,
    is_own_form,
    new_secret,
    sign_in,
    sign_out,
    signed_in,
)
from gourmetgram.api.moderation.words import number_of

SESSION_COOKIE: Final = "moderation_session"
FORM_COOKIE: Final = "moderation_form"
ROOT: Final = "/moderation"
LOGIN: Final = "/moderation/login"
SEE_OTHER: Final = 303
LONGEST_TOKEN: Final = 200

NOT_VALID = "This token does not open the queue. Check that you copied all of it."
STALE_FORM = "This form was too old, or not made for this browser. Please try again."
OVER = "You are not signed in, or your session is over. What you sent was not stored."


class SignInFirst(Exception):
    """There is no session, or it is over."""


class PageRoute(APIRoute):
    """A route for people: refusals are pages too, and who is not signed in is led to the form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of this route with what all pages share around it."""
        answer = super().get_route_handler()

        async def page(request: Request) -> Response:
            try:
                response = await answer(request)
            except SignInFirst:
                response = _to_the_form(request)
            except (HTTPException, RequestValidationError) as error:
                response = _problem(request, error)
            response.headers.update(HEADERS)
            return response

        return page


def _to_the_form(request: Request) -> Response:
    query = "over=1&" if request.method == "POST" else ""
    image = request.path_params.get("image_id")
    return RedirectResponse(f"{LOGIN}?{query}{f'image={image}' if image else ''}".rstrip("?&"), SEE_OTHER)


def _problem(request: Request, error: HTTPException | RequestValidationError) -> Response:
    status, detail = 422, "This address is not one of the queue's."
    if isinstance(error, HTTPException):
        status, detail = error.status_code, str(error.detail)
    response = render(
        "problem.html", status, detail=detail, signed_in=None, request_id=request.scope.get("request_id", "")
    )
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


async def _whose(request: Request, parts: Parts) -> SignedIn:
    secret = request.cookies.get(SESSION_COOKIE)
    session = await signed_in(parts.database, secret) if secret else None
    if session is None:
        raise SignInFirst
    return session


Session = Annotated[SignedIn, Depends(_whose)]


def text_of(form: FormData, name: str) -> str:
    """A field of a form; a file, or nothing, is no text."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


async def _own_form(request: Request, session: Session) -> FormData:
    form = await request.form()
    if not is_own_form(session.secret, text_of(form, "form_token")):
        raise ApiError(403, "foreign_form", f"{STALE_FORM} Nothing was stored.")
    return form


OwnForm = Annotated[FormData, Depends(_own_form)]
"""The form that was sent, made for this session."""

router = APIRouter(prefix=ROOT, route_class=PageRoute, include_in_schema=False)


def _set_cookie(request: Request, response: Response, name: str, value: str, path: str) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(
        name, value, int(SESSION.total_seconds()), path=path, secure=secure, httponly=True, samesite="strict"
    )


def _form(request: Request, status: int = 200, problem: str = "") -> Response:
    secret = request.cookies.get(FORM_COOKIE) or new_secret()
    image = number_of(request.query_params.get("image"))
    page = render("login.html", status, problem=problem, form_token=form_token(secret), image=image, signed_in=None)
    _set_cookie(request, page, FORM_COOKIE, secret, LOGIN)
    return page


@router.get("/login")
async def login(request: Request) -> Response:
    """The form."""
    return _form(request, problem=OVER if "over" in request.query_params else "")


@router.post("/login")
async def enter(request: Request, parts: Parts) -> Response:
    """Begin a session, or say that the token is no good and no more than that."""
    form = await request.form()
    if not is_own_form(request.cookies.get(FORM_COOKIE, ""), text_of(form, "form_token")):
        return _form(request, 403, STALE_FORM)
    token = text_of(form, "token").strip()[:LONGEST_TOKEN]
    try:
        secret = await sign_in(parts.database, token, request.client.host if request.client else "")
    except ApiError as error:
        return _refused(request, error)
    if secret is None:
        return _form(request, 401, NOT_VALID)
    image = number_of(request.query_params.get("image"))
    response = RedirectResponse(f"{ROOT}/images/{image}" if image else ROOT, SEE_OTHER)
    _set_cookie(request, response, SESSION_COOKIE, secret, ROOT)
    return response


def _refused(request: Request, error: ApiError) -> Response:
    response = _form(request, error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


@router.post("/logout")
async def leave(parts: Parts, session: Session, form: OwnForm) -> Response:  # noqa: ARG001 - that it is our own
    """End the session, here and on the server."""
    await sign_out(parts.database, session.secret)
    response = RedirectResponse(LOGIN, SEE_OTHER)
    response.delete_cookie(SESSION_COOKIE, path=ROOT, httponly=True, samesite="strict")
    return response
