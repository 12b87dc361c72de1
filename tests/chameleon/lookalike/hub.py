"""What is not OpenStack: the JupyterHub that renews access tokens, and Chameleon's list of sites."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from tests.chameleon.lookalike.world import Here

SITES = ("CHI@UC", "CHI@TACC")


routes = APIRouter()
"""JupyterHub's users, and the reference API's sites (KVM@TACC is not among them; python-chi knows it)."""


@routes.get("/hub/api/users/{name}")
async def user(world: Here, name: str, request: Request) -> JSONResponse:
    if request.headers.get("authorization") != f"token {world.tokens.hub}":
        return JSONResponse({"status": 403, "message": "Forbidden"}, 403)
    if name not in {one.name for one in world.cloud.users.values()}:
        return JSONResponse({"status": 404, "message": "Not Found"}, 404)
    token, expires = world.tokens.access(name, world.now())
    return JSONResponse({"name": name, "auth_state": {"access_token": token, "expires_at": expires}})


@routes.get("/reference/sites.json")
async def sites(world: Here) -> Any:
    return {"items": [_site(name) for name in SITES]}


def _site(name: str) -> dict[str, str]:
    host = ".".join(reversed(name.lower().split("@")))
    return {
        "name": name,
        "site_class": "baremetal",
        "web": f"https://{host}.chameleoncloud.org",
        "location": "-",
        "user_support_contact": "help@chameleoncloud.org",
    }
