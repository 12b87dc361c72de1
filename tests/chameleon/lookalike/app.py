"""Puts the services together behind the gate."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from tests.chameleon.lookalike import blazar, control, errors, glance, hub, keystone
from tests.chameleon.lookalike.gate import Gate
from tests.chameleon.lookalike.neutron import floating_ips, networks, rules, security_groups
from tests.chameleon.lookalike.nodes import Nodes
from tests.chameleon.lookalike.nova import flavors, keypairs, servers
from tests.chameleon.lookalike.population import Names
from tests.chameleon.lookalike.world import World

SERVICES = (
    *(keystone, blazar, glance, hub),
    *(flavors, keypairs, servers),
    *(networks, floating_ips, security_groups, rules),
)


def build(world: World, names: Names, nodes: Nodes) -> Gate:
    """The ASGI application for a cloud."""
    app = FastAPI(openapi_url=None)
    app.state.world = world
    app.add_exception_handler(errors.ServiceError, errors.render)
    app.add_exception_handler(RequestValidationError, _invalid)
    for service in SERVICES:
        app.include_router(service.routes)
    gate = Gate(app, world)
    app.include_router(control.router(control.Lever(world, names, nodes, gate.requests)))
    return gate


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """A body that no service would take; the shape is nobody's, as no client of ours should see it."""
    return JSONResponse({"badRequest": {"code": 400, "message": str(error)}}, 400)
