"""Key pairs belong to users; nobody sees another user's."""

import base64
import hashlib
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.nova import PREFIX
from tests.chameleon.lookalike.resources import Keypair
from tests.chameleon.lookalike.world import Caller, Here, World

routes = APIRouter(prefix=f"{PREFIX}/os-keypairs")


class KeypairFields(BaseModel):
    """A public key, and what to call it."""

    name: str
    public_key: str
    type: str = "ssh"


class KeypairBody(BaseModel):
    """Body of POST /os-keypairs."""

    keypair: KeypairFields


def _find(world: World, name: str, caller: Caller) -> Keypair:
    if found := world.cloud.keypair(caller.user.id, name):
        return found
    raise errors.nova(404, f"Keypair {name} not found for user {caller.user.id}")


@routes.get("")
async def every(world: Here, caller: Caller) -> Any:
    mine = [one for one in world.cloud.keypairs if one.user == caller.user.id]
    return {"keypairs": [{"keypair": _shown(one)} for one in mine]}


@routes.get("/{name}")
async def show(world: Here, name: str, caller: Caller) -> Any:
    return {"keypair": _shown(_find(world, name, caller))}


@routes.post("", status_code=201)
async def create(world: Here, body: KeypairBody, caller: Caller) -> Any:
    if world.cloud.keypair(caller.user.id, body.keypair.name):
        raise errors.nova(409, f"Key pair '{body.keypair.name}' already exists.")
    key = Keypair(body.keypair.name, caller.user.id, body.keypair.public_key)
    shown = _shown(key)
    world.cloud.keypairs.append(key)
    world.cloud.note(world.now(), caller.user.name, "key pair created", key.name)
    return {"keypair": shown}


@routes.delete("/{name}", status_code=204)
async def delete(world: Here, name: str, caller: Caller) -> Response:
    world.cloud.keypairs.remove(_find(world, name, caller))
    world.cloud.note(world.now(), caller.user.name, "key pair deleted", name)
    return Response(status_code=204)


def _shown(key: Keypair) -> dict[str, Any]:
    return {
        "id": key.name,
        "name": key.name,
        "user_id": key.user,
        "type": "ssh",
        "public_key": key.public_key,
        "fingerprint": _fingerprint(key.public_key),
    }


def _fingerprint(public_key: str) -> str:
    """MD5 of the key in pairs of digits, as Nova shows it."""
    try:
        digest = hashlib.md5(base64.b64decode(public_key.split()[1], validate=True), usedforsecurity=False).hexdigest()
    except (IndexError, ValueError) as error:
        raise errors.nova(400, "Keypair data is invalid: failed to generate fingerprint") from error
    return ":".join(digest[at : at + 2] for at in range(0, 32, 2))
