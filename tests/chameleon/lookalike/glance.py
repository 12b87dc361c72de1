"""Images."""

from typing import Any

from fastapi import APIRouter, Request

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.resources import Image
from tests.chameleon.lookalike.world import Here

PREFIX = "/image"
CHAMELEON_IMAGES = "https://github.com/ChameleonCloud/cc-images"


routes = APIRouter(prefix=PREFIX)
"""Glance, version 2."""


@routes.get("")
async def versions(world: Here) -> Any:
    link = {"rel": "self", "href": f"{world.base}{PREFIX}/v2/"}
    return {"versions": [{"id": "v2.17", "status": "CURRENT", "links": [link]}]}


@routes.get("/v2/images")
async def images(world: Here, request: Request) -> Any:
    wanted = request.query_params.get("name")
    found = [_shown(one) for one in world.cloud.images.values() if wanted in (None, one.name)]
    return {"images": found, "first": "/v2/images", "schema": "/v2/schemas/images"}


@routes.get("/v2/images/{id}")
async def show(world: Here, id: str) -> Any:
    if id not in world.cloud.images:
        raise errors.glance(404, f"No image found with ID {id}")
    return _shown(world.cloud.images[id])


@routes.get("/v2/schemas/image")
async def schema(world: Here) -> Any:
    return {"name": "image", "properties": {}, "additionalProperties": {"type": "string"}, "links": []}


def _shown(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": "public",
        "created_at": "2026-01-01T00:00:00Z",
        "build-repo": CHAMELEON_IMAGES,
    }
