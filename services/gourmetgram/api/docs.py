"""The page on which the API can be tried, served without asking any other host for its scripts."""

from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

ASSETS = "/docs/assets"
SWAGGER_UI = Path(str(resources.files("fastapi_swagger") / "resources"))
"""Its scripts, as that package keeps them; a Swagger UI before 5 cannot read what FastAPI describes (OpenAPI 3.1)."""


def serve_docs(app: FastAPI) -> None:
    """Add /docs, and send there who opens the bare address of the API."""

    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "/openapi.json",
            title=app.title,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon-32x32.png",
        )

    async def front_door() -> Response:
        return RedirectResponse("/docs")

    app.add_api_route("/docs", docs, include_in_schema=False)
    app.add_api_route("/", front_door, include_in_schema=False)
    app.mount(ASSETS, StaticFiles(directory=SWAGGER_UI))
