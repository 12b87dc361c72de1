"""Is this really a photo? Decided by decoding it, never by its name. No I/O."""

import io

from PIL import Image

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
DECODERS = ("JPEG", "PNG", "WEBP")
EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
"""By Pillow's format; MPO is a JPEG with a second picture behind it, as many phones write."""
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

# Pillow's own limit mostly warns, and turning warnings into errors is not safe in threads: the check below is ours.
Image.MAX_IMAGE_PIXELS = None


class NotAPhoto(ValueError):
    """The bytes are not a JPEG, PNG or WebP picture that can be decoded."""


def verify(data: bytes) -> str:
    """The file extension (`jpg`, `png` or `webp`) of a picture whose every pixel could be decoded.

    Raises:
        NotAPhoto: with a sentence that says why.
    """
    try:
        with Image.open(io.BytesIO(data), formats=DECODERS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise NotAPhoto(f"expected at most {MAX_PIXELS:,} pixels, got {image.width} by {image.height}.")
            image.load()
            return EXTENSIONS[str(image.format)]
    except NotAPhoto:
        raise
    except Exception as error:  # a decoder fed with garbage raises anything; to us it means one thing
        raise NotAPhoto("expected a JPEG, PNG or WebP picture; these bytes cannot be decoded as one.") from error
