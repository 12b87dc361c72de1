"""Identity: tokens, and the projects of a user."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.clock import iso
from tests.chameleon.lookalike.resources import Project, User, short_id
from tests.chameleon.lookalike.tokens import Token
from tests.chameleon.lookalike.world import Here, World, token_of

DOMAIN = {"id": "chameleon", "name": "chameleon"}
ENDPOINTS = {
    "identity": "/v3",
    "compute": "/compute/v2.1",
    "network": "/network",
    "image": "/image",
    "reservation": "/reservation/v1",
}


class Reference(BaseModel):
    """Something named by its id or its name."""

    id: str | None = None
    name: str | None = None


class TokenMethod(BaseModel):
    """The token that stands for the user."""

    id: str


class Identity(BaseModel):
    """How a user says who she is."""

    methods: list[str]
    token: TokenMethod | None = None


class Scope(BaseModel):
    """What she wants the token for."""

    project: Reference


class Auth(BaseModel):
    """What is asked for."""

    identity: Identity
    scope: Scope | None = None


class AuthBody(BaseModel):
    """Body of POST /v3/auth/tokens."""

    auth: Auth


routes = APIRouter()
"""Keystone, version 3."""


@routes.get("/")
@routes.get("/v3")
async def version(world: Here) -> Any:
    link = {"rel": "self", "href": f"{world.base}/v3/"}
    return {"version": {"id": "v3.14", "status": "stable", "links": [link], "media-types": []}}


@routes.post("/v3/OS-FEDERATION/identity_providers/{provider}/protocols/{protocol}/auth")
async def log_in(world: Here, provider: str, protocol: str, request: Request) -> JSONResponse:
    access = request.headers.get("authorization", "").removeprefix("Bearer ")
    name = world.tokens.user_of(access, world.now())
    if name is None or (provider, protocol) != ("chameleon", "openid"):
        raise errors.keystone(401, errors.UNAUTHORIZED)
    return _answer(world, world.tokens.issue(world.cloud.user(name), None, "openid", world.now()))


@routes.post("/v3/auth/tokens")
async def issue(world: Here, body: AuthBody) -> JSONResponse:
    user = _user_of(world, body.auth.identity)
    project = _project_of(world, user, body.auth.scope) if body.auth.scope else None
    return _answer(world, world.tokens.issue(user, project, body.auth.identity.methods[0], world.now()))


@routes.get("/v3/users/{user}/projects")
async def projects(world: Here, user: str, request: Request) -> Any:
    if user != token_of(request).user.id:
        raise errors.keystone(403, "You are not authorized to perform the requested action.")
    found = [_shown(world.cloud.projects[one]) for one in world.cloud.users[user].projects]
    return {"projects": found, "links": {"self": f"{world.base}/v3/", "next": None, "previous": None}}


@routes.get("/v3/projects/{project}")
async def show(world: Here, project: str, request: Request) -> Any:
    if project not in token_of(request).user.projects:
        raise errors.keystone(404, f"Could not find project: {project}.")
    return {"project": _shown(world.cloud.projects[project])}


def _user_of(world: World, identity: Identity) -> User:
    """Whose request it is, by the token she has; other ways to log in are not for notebooks."""
    token = world.tokens.find(identity.token.id, world.now()) if identity.token else None
    if token is None:
        raise errors.keystone(401, errors.UNAUTHORIZED)
    return token.user


def _project_of(world: World, user: User, scope: Scope) -> Project:
    """The project asked for, if the user is in it."""
    for one in (world.cloud.projects[id] for id in user.projects):
        if one.id == scope.project.id or one.name == scope.project.name:
            return one
    raise errors.keystone(401, errors.UNAUTHORIZED)


def _shown(project: Project) -> dict[str, Any]:
    return {"id": project.id, "name": project.name, "domain_id": DOMAIN["id"], "enabled": True, "links": {}}


def _answer(world: World, token: Token) -> JSONResponse:
    body: dict[str, Any] = {
        "methods": [token.method],
        "user": {"id": token.user.id, "name": token.user.name, "domain": DOMAIN},
        "issued_at": iso(token.issued),
        "expires_at": iso(token.expires),
        "audit_ids": [short_id()],
    }
    if token.project:
        body |= {
            "project": {"id": token.project.id, "name": token.project.name, "domain": DOMAIN},
            "roles": [{"id": "member", "name": "member"}],
            "is_domain": False,
            "catalog": [_service(world, kind, path) for kind, path in ENDPOINTS.items()],
        }
    return JSONResponse({"token": body}, 201, headers={"X-Subject-Token": token.id})


def _service(world: World, kind: str, path: str) -> dict[str, Any]:
    region = world.cloud.region
    endpoints = [
        {"id": kind + side, "interface": side, "region": region, "region_id": region, "url": world.base + path}
        for side in ("public", "internal", "admin")
    ]
    return {"type": kind, "name": kind, "id": kind, "endpoints": endpoints}
