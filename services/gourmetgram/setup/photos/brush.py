"""Drawing tools: a table, crockery, and shapes that catch the light from the upper left. Coordinates are pixels."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

WIDTH, HEIGHT = 512, 384
OVERSAMPLING = 2
W, H = WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING

Colour = tuple[int, int, int]
Point = tuple[float, float]
Rng = np.random.Generator

LIGHT_FROM = (0.36, 0.32)
TABLES: tuple[Colour, ...] = (
    (146, 98, 62),
    (92, 62, 44),
    (198, 164, 122),
    (66, 72, 78),
    (214, 208, 198),
    (120, 134, 130),
)
CLOTHS: tuple[Colour, ...] = ((176, 58, 54), (60, 92, 132), (96, 128, 96), (188, 150, 72))


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """Between two colours; share 0 is the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.4) -> Colour:
    """Towards black."""
    return mix(colour, (20, 10, 5), share)


def lighter(colour: Colour, share: float = 0.4) -> Colour:
    """Towards warm white."""
    return mix(colour, (255, 250, 240), share)


def vary(rng: Rng, colour: Colour, amount: int = 14) -> Colour:
    """A colour near this one."""
    red, green, blue = (int(np.clip(c + rng.integers(-amount, amount + 1), 0, 255)) for c in colour)
    return red, green, blue


@lru_cache(8)
def ball(size: int = 192) -> Image.Image:
    """Brightness of a lit ball, in a square: 255 where the light falls, dark at the far edge."""
    y, x = np.mgrid[0:size, 0:size] / size
    distance = np.hypot(x - LIGHT_FROM[0], y - LIGHT_FROM[1])
    return Image.fromarray(np.uint8(255 * np.clip(1.05 - 1.15 * distance, 0, 1) ** 0.9))


def round_blob(
    rng: Rng, centre: Point, rx: float, ry: float, wobble: float = 0.05, *, turn: float = 0.0
) -> list[Point]:
    """Outline of an uneven ellipse, turned by radians."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = np.ones_like(angle)
    for wave in range(2, 6):
        radius += wobble / wave * 2 * rng.normal() * np.sin(wave * angle + rng.uniform(0, 2 * np.pi))
    x, y = rx * radius * np.cos(angle), ry * radius * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return list(zip((centre[0] + x * cos - y * sin).tolist(), (centre[1] + x * sin + y * cos).tolist(), strict=True))


class Scene:
    """A picture in the making, from the table upwards."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.image = lay_table(rng)
        self.draw = ImageDraw.Draw(self.image)

    def shadow(self, outline: Sequence[Point], offset: float = 14, strength: float = 0.5, blur: float = 6) -> None:
        """A soft shadow of this outline, to the lower right."""
        quarter = Image.new("L", (W // 4, H // 4))
        moved = [((x + offset) / 4, (y + offset) / 4) for x, y in outline]
        ImageDraw.Draw(quarter).polygon(moved, fill=round(255 * strength))
        mask = quarter.filter(ImageFilter.GaussianBlur(blur)).resize((W, H), Image.Resampling.BILINEAR)
        self.image.paste((18, 10, 6), (0, 0), mask)

    def solid(self, outline: Sequence[Point], colour: Colour, *, depth: float = 0.45, shine: float = 0.4) -> None:
        """A rounded body of this outline: dark at the far edge, bright towards the light."""
        left, top, width, height, mask = cut_out(outline)
        shade = ball().resize((width, height))
        lit = ImageOps.colorize(shade, darker(colour, depth), lighter(colour, shine), mid=colour)
        self.image.paste(lit, (left, top), mask)

    def flat(self, outline: Sequence[Point], colour: Colour) -> None:
        """An evenly coloured shape."""
        self.draw.polygon(list(outline), fill=colour)

    def blob(self, centre: Point, rx: float, ry: float, colour: Colour, *, wobble: float = 0.05, turn: float = 0.0,
             depth: float = 0.45, shine: float = 0.4, lift: float = 0.0) -> None:  # fmt: skip
        """A rounded uneven ellipse; `lift` is how far its small hard shadow falls."""
        outline = round_blob(self.rng, centre, rx, ry, wobble, turn=turn)
        if lift:
            below = [(x + lift, y + lift) for x, y in outline]
            left, top, width, height, mask = cut_out(below)
            del width, height
            self.image.paste((30, 16, 8), (left, top), mask.point(lambda value: value * 2 // 5))
        self.solid(outline, colour, depth=depth, shine=shine)

    def dots(self, centre: Point, reach: float, count: int, colour: Colour, size: tuple[float, float]) -> None:
        """Many small specks within a circle: seeds, pepper, flour."""
        for x, y in scatter(self.rng, centre, reach, count):
            r = float(self.rng.uniform(*size))
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=vary(self.rng, colour))

    def texture(self, outline: Sequence[Point], strength: float, grain: int, along: int = 1) -> None:
        """Uneven brightness within an outline, in grains of about this many pixels, `along` times as wide."""
        left, top, width, height, mask = cut_out(outline)
        coarse = self.rng.normal(128, 128 * strength, (max(2, height // grain), max(2, width // grain // along)))
        noise = Image.fromarray(np.uint8(np.clip(coarse, 0, 255))).resize((width, height), Image.Resampling.BICUBIC)
        region = self.image.crop((left, top, left + width, top + height))
        self.image.paste(ImageChops.overlay(region, Image.merge("RGB", (noise,) * 3)), (left, top), mask)

    def finish(self) -> Image.Image:
        """The photo in its final size, with warm light and a little vignette."""
        small = self.image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        pixels = np.asarray(small, dtype=np.float32) * light()
        pixels += self.rng.normal(0, 1.6, pixels.shape).astype(np.float32)
        return Image.fromarray(np.uint8(np.clip(pixels, 0, 255)))


@lru_cache(1)
def light() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Light on the table: bright and warm at the upper left, fading towards the corners."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    distance = np.hypot((x / WIDTH - 0.42) * 1.2, y / HEIGHT - 0.40)
    fall = np.clip(1.10 - 0.55 * distance**1.7, 0.4, 1.12)
    lamp: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = fall[..., None] * np.array([1.03, 1.0, 0.95])
    return lamp.astype(np.float32)


def cut_out(outline: Sequence[Point]) -> tuple[int, int, int, int, Image.Image]:
    """Left, top, width and height of an outline, and its mask in that box."""
    points = np.asarray(outline)
    left, top = (int(v) for v in np.floor(points.min(axis=0)))
    right, bottom = (int(v) for v in np.ceil(points.max(axis=0)))
    width, height = max(right - left, 2), max(bottom - top, 2)
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in outline], fill=255)
    return left, top, width, height, mask


def scatter(rng: Rng, centre: Point, reach: float, count: int, squash: float = 1.0) -> list[Point]:
    """Random points within a circle (an ellipse when squashed)."""
    angle, radius = rng.uniform(0, 2 * np.pi, count), reach * np.sqrt(rng.random(count))
    x, y = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle) * squash
    return list(zip(x.tolist(), y.tolist(), strict=True))


def lay_table(rng: Rng) -> Image.Image:
    """A table of planks or stone, some with a checked cloth on it."""
    colour = TABLES[int(rng.integers(len(TABLES)))]
    grain = rng.normal(0, 1, (H // 4, 12)).cumsum(axis=1) * 2.2 + rng.normal(0, 5, (H // 4, 1))
    planks = np.repeat(rng.normal(0, 9, 7), -(-(H // 4) // 7))[: H // 4, None]
    rows = np.uint8(np.clip(128 + grain + planks, 60, 200))
    lightness = Image.fromarray(rows).resize((W, H), Image.Resampling.BICUBIC)
    table = ImageOps.colorize(lightness, darker(colour, 0.7), lighter(colour, 0.6), mid=colour)
    draw = ImageDraw.Draw(table)
    for plank in range(1, 7):
        y = plank * H // 7
        draw.line((0, y, W, y), fill=darker(colour, 0.6), width=3)
    if rng.random() < 0.4:  # noqa: PLR2004
        spread_cloth(rng, draw)
    return table


def spread_cloth(rng: Rng, draw: ImageDraw.ImageDraw) -> None:
    """A checked cloth over one side of the table."""
    colour = CLOTHS[int(rng.integers(len(CLOTHS)))]
    edge, check = int(W * rng.uniform(0.3, 0.7)), 44
    draw.rectangle((edge, 0, W, H), fill=(236, 230, 218))
    for x in range(edge, W, check):
        for y in range(0, H, check):
            odd = (x - edge) // check % 2 + y // check % 2
            if odd:
                draw.rectangle((x, y, x + check, y + check), fill=mix((236, 230, 218), colour, odd * 0.42))
