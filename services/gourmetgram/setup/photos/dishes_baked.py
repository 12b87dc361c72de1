"""Bread, dairy, dessert, egg, fried and meat."""

import numpy as np

from gourmetgram.setup.photos import toppings
from gourmetgram.setup.photos.brush import (
    Colour,
    Point,
    Scene,
    darker,
    lighter,
    mix,
    round_blob,
    scatter,
    vary,
)  # fmt: skip
from gourmetgram.setup.photos.crockery import board, bowl, disc, middle, plate, rectangle

CRUST: Colour = (172, 106, 50)
CRUMB: Colour = (238, 214, 168)
GOLD: Colour = (222, 160, 62)


def bread(scene: Scene) -> None:
    """A scored loaf on a board, with a few slices before it."""
    rng, centre = scene.rng, middle(scene)
    board(scene, centre, 820, 560)
    loaf_at = (centre[0] - 40, centre[1] - 90)
    crust = vary(rng, mix(CRUST, (120, 66, 32), float(rng.random()) * 0.6))
    outline = round_blob(rng, loaf_at, 310, 150, 0.03, turn=float(rng.uniform(-0.12, 0.05)))
    scene.shadow(outline, offset=20, blur=7)
    scene.solid(outline, crust, depth=0.6, shine=0.35)
    scene.texture(outline, 0.18, 9)
    for cut in range(int(rng.integers(4, 6))):
        x = loaf_at[0] - 190 + cut * 88
        scene.blob((x, loaf_at[1]), 20, 92, lighter(CRUMB, 0.1), turn=0.5, wobble=0.08, depth=0.35)
    scene.dots(loaf_at, 120, 90, (246, 238, 226), (1.5, 3.5))
    for slice_number in range(int(rng.integers(2, 4))):
        bread_slice(scene, (centre[0] - 170 + slice_number * 180, centre[1] + 150), crust)


def bread_slice(scene: Scene, centre: Point, crust: Colour) -> None:
    """One slice: crust around an airy crumb."""
    turn = float(scene.rng.uniform(-0.4, 0.4))
    scene.blob(centre, 104, 82, crust, turn=turn, wobble=0.04, lift=14)
    outline = round_blob(scene.rng, centre, 93, 71, 0.03, turn=turn)
    scene.solid(outline, CRUMB, depth=0.15, shine=0.2)
    scene.texture(outline, 0.2, 8)
    for x, y in scatter(scene.rng, centre, 62, 16):
        scene.blob((x, y), float(scene.rng.uniform(3, 9)), 4, (206, 172, 120), depth=0.3, shine=0.1)


def dairy(scene: Scene) -> None:
    """A cheese board, or a bowl of yoghurt with berries."""
    centre = middle(scene)
    if scene.rng.random() < 0.4:  # noqa: PLR2004
        yoghurt(scene, centre)
        return
    board(scene, centre, 800, 540)
    wedge(scene, (centre[0] - 130, centre[1] - 40))
    camembert(scene, (centre[0] + 210, centre[1] - 60))
    for x, y in scatter(scene.rng, (centre[0] + 60, centre[1] + 170), 120, 13, squash=0.5):
        grape = vary(scene.rng, (120, 60, 96) if scene.rng.random() < 0.5 else (150, 176, 84))  # noqa: PLR2004
        scene.blob((x, y), 31, 29, grape, wobble=0.02, lift=8)
        toppings.glint(scene, (x, y), 30)


def wedge(scene: Scene, at: Point) -> None:
    """A wedge of hard cheese with holes."""
    x, y = at
    colour = vary(scene.rng, (246, 202, 84))
    top = [(x - 220, y + 10), (x + 190, y - 140), (x + 210, y + 40)]
    side = [(x - 220, y + 10), (x + 210, y + 40), (x + 204, y + 170), (x - 214, y + 140)]
    scene.shadow([*top[:2], *side[1:]], offset=20, blur=6)
    scene.solid(side, darker(colour, 0.12), depth=0.2, shine=0.15)
    scene.solid(top, lighter(colour, 0.15), depth=0.1, shine=0.3)
    for hole in range(7):
        at_hole = x - 140 + hole * 52, y + 90 + float(scene.rng.uniform(-34, 34))
        size = float(scene.rng.uniform(9, 24))
        scene.blob(at_hole, size, size * 0.85, darker(colour, 0.32), depth=0.3, shine=0.0)
        scene.blob((at_hole[0] + 3, at_hole[1] + 4), size * 0.75, size * 0.6, darker(colour, 0.18), depth=0.1)


def camembert(scene: Scene, at: Point) -> None:
    """A round soft cheese with one piece cut out."""
    scene.shadow(round_blob(scene.rng, at, 130, 126, 0.01), offset=18, blur=6)
    scene.blob((at[0], at[1] + 18), 130, 126, (226, 214, 186), wobble=0.01)
    outline = round_blob(scene.rng, at, 130, 124, 0.01)
    scene.solid(outline, (248, 242, 226), depth=0.15)
    scene.texture(outline, 0.08, 12)
    scene.solid([at, (at[0] + 30, at[1] + 128), (at[0] + 118, at[1] + 76)], (244, 218, 142), depth=0.3)


def yoghurt(scene: Scene, centre: Point) -> None:
    """A bowl of yoghurt: a swirl, berries, oats, mint."""
    bowl(scene, centre, 300, (248, 244, 236))
    for turn in range(26):
        angle, radius = turn * 0.42, 8 + turn * 8.4
        at = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
        scene.blob(at, 46, 24, (250, 246, 240), turn=angle + 1.57, wobble=0.03, depth=0.14)
    for x, y in scatter(scene.rng, (centre[0] - 70, centre[1] + 50), 130, 15):
        toppings.berry(scene, (x, y), 30)
    scene.dots((centre[0] + 90, centre[1] - 60), 100, 70, (204, 160, 98), (4, 8))
    toppings.herbs(scene, (centre[0] - 40, centre[1] + 20), 60, 4)


def dessert(scene: Scene) -> None:
    """A glazed cake with cream and berries, one slice missing."""
    rng, centre = scene.rng, middle(scene)
    plate(scene, centre, 340)
    glazes: tuple[Colour, ...] = ((92, 50, 34), (236, 150, 166), (250, 236, 206), (120, 150, 84), (244, 200, 90))
    glaze = vary(rng, glazes[int(rng.integers(len(glazes)))])
    scene.shadow(round_blob(rng, centre, 236, 236, 0.01), offset=16, blur=6)
    disc(scene, (centre[0] + 4, centre[1] + 16), 238, (190, 138, 84), depth=0.5)
    scene.solid(round_blob(rng, centre, 238, 232, 0.02), glaze, depth=0.3, shine=0.35)
    for part in range(12):
        angle = part * np.pi / 6
        at = centre[0] + 186 * np.cos(angle), centre[1] + 182 * np.sin(angle)
        toppings.cream(scene, at, 36)
        toppings.berry(scene, (at[0] - 4, at[1] - 12), 19)
    for _ in range(60):
        angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(20, 130)
        at = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
        sprinkle = vary(rng, lighter(glaze, 0.6) if sum(glaze) < 380 else darker(glaze, 0.6), 30)  # noqa: PLR2004
        scene.blob(at, 9, 3, sprinkle, turn=float(rng.uniform(0, 3)), wobble=0.0)
    cake_slice_gap(scene, centre)


def cake_slice_gap(scene: Scene, centre: Point) -> None:
    """Where somebody already took a slice: the plate, and the layers of the cut."""
    x, y = centre
    scene.flat([(x, y), (x + 170, y + 190), (x + 60, y + 262)], (222, 216, 206))
    for step, colour in enumerate(((120, 74, 44), (246, 234, 212), (140, 88, 52))):
        low = 8 + step * 9
        scene.draw.line((x + 1, y + low, x + 60, y + 238 + low), fill=colour, width=10)


def egg(scene: Scene) -> None:
    """Fried eggs with toast, tomatoes and chives."""
    rng, centre = scene.rng, middle(scene)
    plate(scene, centre, 345)
    slice_at = (centre[0] + 150, centre[1] - 110)
    bread_slice(scene, slice_at, CRUST)
    count = int(rng.integers(2, 4))
    for number in range(count):
        angle = number * 2.2 + float(rng.uniform(0, 0.6))
        at = centre[0] - 60 + 110 * np.cos(angle), centre[1] + 40 + 92 * np.sin(angle)
        outline = round_blob(rng, at, 128, 112, 0.10)
        scene.shadow(outline, offset=8, strength=0.35, blur=4)
        scene.solid(outline, (206, 158, 92), depth=0.2)
        scene.solid(
            [(at[0] + (x - at[0]) * 0.95, at[1] + (y - at[1]) * 0.95) for x, y in outline], (252, 249, 242), depth=0.1
        )
        yolk = at[0] + float(rng.uniform(-18, 18)), at[1] + float(rng.uniform(-14, 14))
        scene.blob(yolk, 52, 50, vary(rng, (248, 172, 36)), wobble=0.02, depth=0.3, lift=4)
        toppings.glint(scene, yolk, 52)
    for x, y in scatter(rng, (centre[0] + 150, centre[1] + 120), 70, 4):
        toppings.tomato(scene, (x, y), 36)
    toppings.herbs(scene, centre, 190, 22)
    scene.dots(centre, 190, 70, (50, 40, 34), (1.5, 3))


def fried(scene: Scene) -> None:
    """Chips or onion rings with a dip."""
    rng, centre = scene.rng, middle(scene)
    plate(scene, centre, 345)
    heap = (centre[0] - 50, centre[1] + 20)
    if rng.random() < 0.6:  # noqa: PLR2004
        for x, y in scatter(rng, heap, 170, 64, squash=0.75):
            stick = rectangle((x, y), float(rng.uniform(120, 200)), 27, float(rng.uniform(0, np.pi)))
            scene.flat([(px + 8, py + 9) for px, py in stick], darker(GOLD, 0.55))
            scene.solid(stick, vary(rng, GOLD, 22), depth=0.35, shine=0.45)
    else:
        for x, y in scatter(rng, heap, 165, 15, squash=0.8):
            onion_ring(scene, (x, y), float(rng.uniform(54, 84)))
    scene.dots(heap, 190, 90, (252, 250, 244), (1.5, 3))
    dip: Colour = (196, 36, 28) if rng.random() < 0.5 else (250, 232, 176)  # noqa: PLR2004
    bowl(scene, (centre[0] + 210, centre[1] - 130), 104, dip)
    toppings.herbs(scene, heap, 150, 8)


def onion_ring(scene: Scene, at: Point, radius: float) -> None:
    """A ring of batter, knob by knob."""
    for angle in np.linspace(0, 2 * np.pi, 20, endpoint=False):
        knob = at[0] + radius * np.cos(angle), at[1] + radius * 0.85 * np.sin(angle)
        scene.blob(knob, 25, 23, vary(scene.rng, GOLD, 16), wobble=0.12, depth=0.4, lift=6)


def meat(scene: Scene) -> None:
    """A grilled steak with potatoes and rosemary."""
    rng, centre = scene.rng, middle(scene)
    plate(scene, centre, 350)
    at = (centre[0] - 40, centre[1] - 30)
    colour = vary(rng, mix((128, 66, 44), (86, 44, 32), float(rng.random())))
    outline = round_blob(rng, at, 215, 146, 0.10, turn=float(rng.uniform(-0.5, 0.5)))
    scene.shadow(outline, offset=16, blur=5)
    scene.solid(outline, lighter(colour, 0.45), depth=0.4)
    inner = [(at[0] + (x - at[0]) * 0.94 + 4, at[1] + (y - at[1]) * 0.93 + 4) for x, y in outline]
    scene.solid(inner, colour, depth=0.5, shine=0.3)
    scene.texture(inner, 0.28, 7)
    for step in range(-3, 4):
        mark = rectangle((at[0] + step * 52, at[1] + step * 8), 15, 168 - abs(step) * 18, 0.6)
        scene.solid(mark, darker(colour, 0.72), depth=0.3, shine=0.1)
    scene.dots(at, 130, 60, (236, 228, 214), (1.5, 3))
    for x, y in scatter(rng, (centre[0] + 130, centre[1] + 140), 96, 7, squash=0.7):
        scene.blob((x, y), 46, 38, vary(rng, (226, 184, 96)), turn=float(rng.uniform(0, 3)), lift=9)
    toppings.herbs(scene, (centre[0] + 110, centre[1] + 120), 100, 12)
    for needle in np.linspace(-0.9, 0.9, 22):
        root = at[0] - 60 + needle * 110, at[1] - 20 + needle * 34
        toppings.leaf(scene, root, 20, float(1.0 + (-1) ** int(needle * 100) * 0.7), (62, 96, 58))
