"""The pages of the queue: plain forms that work without a script, and keys for those who have one."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.staticfiles import StaticFiles

from gourmetgram.api.content import photo_of
from gourmetgram.api.context import Context, Parts
from gourmetgram.api.errors import ApiError
from gourmetgram.api.moderation import entrance, routes
from gourmetgram.api.moderation.actions import ACTIONS, Order, act, told
from gourmetgram.api.moderation.entrance import ROOT, SEE_OTHER, OwnForm, PageRoute, Session, text_of
from gourmetgram.api.moderation.items import ACTION, image_of, item_of
from gourmetgram.api.moderation.queue import Filters, Key, page_of
from gourmetgram.api.moderation.rendering import FOLDER, render
from gourmetgram.api.moderation.sessions import SignedIn
from gourmetgram.api.moderation.versions import Seen
from gourmetgram.api.moderation.words import RECOMMENDED, address, filters_of, number_of
from gourmetgram.api.routes.images import ImageId
from gourmetgram.api.signals import decided_by, grounds_of, signals_of
from gourmetgram.core.moderation import TRIGGERS

PAGE_LENGTH: Final = 20
CONFLICT: Final = 409

router = APIRouter(prefix=ROOT, route_class=PageRoute, include_in_schema=False)


def _place(text: str | None) -> Key | None:
    try:
        return Key.parse(text) if text else None
    except ValueError:
        return None  # a place that is none is the beginning


async def _done(parts: Context, request: Request) -> Mapping[str, Any] | None:
    """What the moderator did just before they came to this page."""
    action_id = number_of(request.query_params.get("done"))
    row = await parts.database.row(ACTION, action_id) if action_id else None
    return dict(row) | {"told": told(row)} if row else None


@router.get("")
async def queue(request: Request, parts: Parts, session: Session) -> Response:
    """What waits, the riskiest first."""
    filters, after = filters_of(request.query_params), _place(request.query_params.get("after"))
    page = await page_of(parts.database, filters, after, PAGE_LENGTH)
    return render(
        "queue.html",
        signed_in=session,
        page=page,
        filters=filters,
        recommended=RECOMMENDED,
        triggers=TRIGGERS,
        is_first=after is None,
        done=await _done(parts, request),
    )


async def _review(request: Request, parts: Context, session: SignedIn, image_id: int, refusal: str = "") -> Response:
    item = await item_of(parts.database, image_id)
    filters = filters_of(request.query_params)
    decision = item.decision
    return render(
        "item.html",
        CONFLICT if refusal else 200,
        signed_in=session,
        item=item,
        decision=decision,
        signals=signals_of(decision["features"]) if decision else [],
        grounds=grounds_of(decision["rationale"]) if decision else [],
        decided_by=decided_by(decision) if decision else "",
        history=[dict(row) | {"told": told(row)} for row in item.actions],
        filters=filters,
        refusal=refusal,
        done=None if refusal else await _done(parts, request),
    )


@router.get("/images/{image_id}")
async def review(request: Request, parts: Parts, session: Session, image_id: ImageId) -> Response:
    """One image, and what can be done about it."""
    return await _review(request, parts, session, image_id)


@router.get("/images/{image_id}/photo")
async def photo(parts: Parts, session: Session, image_id: ImageId) -> Response:  # noqa: ARG001 - that there is one
    """The photo, hidden or not."""
    return await photo_of(parts.store, await image_of(parts.database, image_id))


@router.get("/next")
async def skip(request: Request, parts: Parts, session: Session) -> Response:  # noqa: ARG001 - that there is one
    """To the item behind a place in the queue, or to the queue when there is none."""
    filters, after = filters_of(request.query_params), _place(request.query_params.get("after"))
    return RedirectResponse(await _next_address(parts, filters, after), SEE_OTHER)


async def _next_address(parts: Context, filters: Filters, after: Key | None, **parameters: object) -> str:
    page = await page_of(parts.database, filters, after, 1)
    path = f"{ROOT}/images/{page.rows[0]['id']}" if page.rows else ROOT
    return address(path, filters, **parameters)


def _order(image_id: int, form: FormData) -> Order:
    action = next((one for one in ACTIONS if one == text_of(form, "action")), None)
    comment, comment_id = text_of(form, "comment_id"), number_of(text_of(form, "comment_id"))
    try:
        seen = Seen.parse(text_of(form, "version"))
    except ValueError:
        seen = None
    if action is None or seen is None or (comment and comment_id is None):
        raise ApiError(422, "invalid", "This form is not complete. Nothing was stored: go back and try again.")
    return Order(action, image_id, comment_id, seen)


@router.post("/images/{image_id}")
async def decide(request: Request, parts: Parts, session: Session, image_id: ImageId, form: OwnForm) -> Response:
    """Carry out what the form says. After an image comes the next one; after a comment, the same image again."""
    order = _order(image_id, form)
    try:
        done = await act(parts.database, session.moderator, order)
    except ApiError as error:
        if error.status_code != CONFLICT:
            raise
        return await _review(request, parts, session, image_id, str(error.detail))
    filters = filters_of(request.query_params)
    if order.comment_id is not None:
        return RedirectResponse(address(f"{ROOT}/images/{image_id}", filters, done=done.id), SEE_OTHER)
    place = _place(text_of(form, "place"))
    return RedirectResponse(await _next_address(parts, filters, place, done=done.id), SEE_OTHER)


def serve_moderation(app: FastAPI) -> None:
    """Add /moderation: pages first, because their addresses are the more special ones."""
    app.mount(f"{ROOT}/assets", StaticFiles(directory=FOLDER / "static"))
    for one in (entrance.router, router, routes.router):
        app.include_router(one)
