"""Plates, bowls, boards and cutlery, seen from above."""

import numpy as np

from gourmetgram.setup.photos.brush import Colour, H, Point, Scene, W, darker, lighter, mix, round_blob

CERAMICS: tuple[Colour, ...] = (
    (238, 234, 226), (226, 230, 234), (120, 148, 160), (196, 170, 138), (82, 92, 100), (228, 208, 196),
)  # fmt: skip
STEEL: Colour = (186, 190, 196)


def ceramic(scene: Scene) -> Colour:
    """The colour of today's crockery."""
    return CERAMICS[int(scene.rng.integers(len(CERAMICS)))]


def middle(scene: Scene) -> Point:
    """About the middle of the picture."""
    return W / 2 + float(scene.rng.uniform(-50, 50)), H / 2 + float(scene.rng.uniform(-24, 24))


def disc(scene: Scene, centre: Point, radius: float, colour: Colour, depth: float = 0.25) -> None:
    """A smooth lit disc."""
    scene.solid(round_blob(scene.rng, centre, radius, radius, 0.0), colour, depth=depth, shine=0.3)


def plate(scene: Scene, centre: Point, radius: float) -> None:
    """A plate: rim, edge of the well, well."""
    colour = ceramic(scene)
    scene.shadow(round_blob(scene.rng, centre, radius, radius, 0.0), offset=26, blur=9)
    disc(scene, centre, radius, colour)
    disc(scene, centre, radius * 0.74, darker(colour, 0.14))
    disc(scene, centre, radius * 0.72, lighter(colour, 0.12), depth=0.12)


def bowl(scene: Scene, centre: Point, radius: float, filling: Colour) -> None:
    """A bowl filled with something, its wall in shade where the light does not reach."""
    colour = ceramic(scene)
    scene.shadow(round_blob(scene.rng, centre, radius, radius, 0.0), offset=38, strength=0.6, blur=12)
    disc(scene, centre, radius, colour)
    disc(scene, centre, radius * 0.92, darker(colour, 0.4), depth=0.3)
    disc(scene, centre, radius * 0.87, filling, depth=0.3)


def board(scene: Scene, centre: Point, width: float, height: float) -> None:
    """A wooden board with a handle."""
    turn, colour = float(scene.rng.uniform(-0.15, 0.15)), mix((188, 138, 86), (120, 80, 50), float(scene.rng.random()))
    outline = rectangle(centre, width, height, turn)
    scene.shadow(outline, offset=22, blur=8)
    scene.solid(outline, colour, depth=0.25, shine=0.15)
    scene.texture(outline, 0.14, 7, along=24)


def rectangle(centre: Point, width: float, height: float, turn: float, round_by: float = 6.0) -> list[Point]:
    """Outline of a turned rectangle with round corners (a superellipse)."""
    angle = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    x = np.sign(cos) * np.abs(cos) ** (2 / round_by) * width / 2
    y = np.sign(sin) * np.abs(sin) ** (2 / round_by) * height / 2
    turned_x, turned_y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    return list(zip((centre[0] + turned_x).tolist(), (centre[1] + turned_y).tolist(), strict=True))


def spoon(scene: Scene, at: Point, length: float = 420) -> None:
    """A spoon beside the dish, its bowl upwards."""
    x, y = at
    handle = rectangle((x, y + length / 2), 18, length, 0.0)
    scene.shadow(handle, offset=12, blur=4)
    scene.solid(handle, STEEL, shine=0.7)
    scene.blob((x, y), 44, 66, STEEL, wobble=0.0, shine=0.8, lift=10)
    scene.blob((x + 3, y + 4), 33, 52, darker(STEEL, 0.25), wobble=0.0, shine=0.5)


def chopsticks(scene: Scene, centre: Point, length: float = 620) -> None:
    """Two chopsticks laid across the rim."""
    colour: Colour = (112, 54, 34) if scene.rng.random() < 0.5 else (196, 150, 96)  # noqa: PLR2004
    for step in (0, 34):
        stick = rectangle((centre[0] + step, centre[1] + step / 2), length, 15, -0.55 - step / 900)
        scene.shadow(stick, offset=14, blur=4)
        scene.solid(stick, colour, shine=0.35)
