"""A photo as an answer."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response

from gourmetgram.api.errors import ApiError
from gourmetgram.api.photos import CONTENT_TYPES
from gourmetgram.api.storage import PhotoMissing, PhotoStore

PHOTO: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in CONTENT_TYPES.values()}}
}
"""How OpenAPI describes it."""

FOR_A_WHILE: Final = "private, max-age=300"


async def photo_of(store: PhotoStore, image: Mapping[str, Any], cache: str = FOR_A_WHILE) -> Response:
    """The photo of a row of `images`.

    Raises:
        ApiError: 404, object storage does not have it.
    """
    name = store.name(image["s3_url"])
    try:
        photo = await store.get(name)
    except PhotoMissing as error:
        raise ApiError(404, "photo_missing", f"The photo of image {image['id']} is not in object storage.") from error
    kind = CONTENT_TYPES[name.rsplit(".", 1)[-1]]
    return Response(photo, media_type=kind, headers={"Content-Disposition": "inline", "Cache-Control": cache})
