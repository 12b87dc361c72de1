"""Noodles, rice, seafood, soup and vegetables."""

import numpy as np

from gourmetgram.setup.photos import toppings
from gourmetgram.setup.photos.brush import Colour, Point, Scene, darker, lighter, round_blob, scatter, vary
from gourmetgram.setup.photos.crockery import bowl, chopsticks, middle, plate, spoon

NOODLE: Colour = (238, 204, 126)


def noodles(scene: Scene) -> None:
    """A bowl of noodles, strand over strand."""
    rng, centre = scene.rng, middle(scene)
    broth: Colour = ((150, 86, 40), (198, 140, 70), (110, 50, 34))[int(rng.integers(3))]
    bowl(scene, centre, 318, broth)
    colour = vary(rng, NOODLE)
    for _ in range(70):
        strand(scene, centre, colour)
    scene.dots(centre, 200, 20, lighter(broth, 0.4), (3, 7))
    extras = rng.random()
    if extras < 0.6:  # noqa: PLR2004
        toppings.boiled_egg(scene, (centre[0] + 110, centre[1] + 70), 74)
    for x, y in scatter(rng, (centre[0] - 120, centre[1] - 60), 90, 7):
        scene.blob((x, y), 46, 20, (150, 76, 50), turn=float(rng.uniform(0, 3)), wobble=0.1, lift=7)
    for x, y in scatter(rng, centre, 200, 26):
        scene.blob((x, y), 11, 11, (112, 164, 74), wobble=0.02, lift=4)
        scene.blob((x, y), 5, 5, (206, 226, 160), wobble=0.0, depth=0.1)
    chopsticks(scene, (centre[0] + 130, centre[1] - 150))


def strand(scene: Scene, centre: Point, colour: Colour) -> None:
    """One strand: an arc that curls within the bowl."""
    rng = scene.rng
    ((x, y),) = scatter(rng, centre, 150, 1)
    angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, rng.uniform(2, 4.4), 26)
    radius = rng.uniform(40, 105) * np.linspace(1, rng.uniform(0.6, 1.3), 26)
    px, py = x + radius * np.cos(angle), y + radius * np.sin(angle)
    points = list(zip(px.tolist(), py.tolist(), strict=True))
    for width, tone, shift in ((17, darker(colour, 0.5), 4), (13, vary(rng, colour), 0), (4, lighter(colour, 0.5), -3)):
        moved = [(a + shift, b + shift) for a, b in points]
        scene.draw.line(moved, fill=tone, width=width, joint="curve")


def rice(scene: Scene) -> None:
    """A bowl of rice with vegetables, grain by grain."""
    rng, centre = scene.rng, middle(scene)
    colour: Colour = ((248, 244, 234), (240, 206, 108), (226, 142, 84))[int(rng.integers(3))]
    bowl(scene, centre, 312, darker(colour, 0.25))
    scene.solid(round_blob(rng, centre, 262, 258, 0.02), darker(colour, 0.1), depth=0.35)
    scene.texture(round_blob(rng, centre, 262, 258, 0.02), 0.25, 9)
    for x, y in scatter(rng, centre, 255, 900):
        shade = lighter(colour, 0.5) if rng.random() < 0.6 else darker(colour, 0.16)  # noqa: PLR2004
        turn, half = float(rng.uniform(0, np.pi)), 10.0
        dx, dy = half * np.cos(turn), half * np.sin(turn)
        scene.draw.line((x - dx, y - dy + 3, x + dx, y + dy + 3), fill=darker(colour, 0.35), width=8)
        scene.draw.line((x - dx, y - dy, x + dx, y + dy), fill=vary(rng, shade, 6), width=7)
    pieces: tuple[Colour, ...] = ((104, 166, 66), (236, 128, 40), (206, 60, 44), (248, 214, 90))
    for x, y in scatter(rng, centre, 225, 46):
        size = float(rng.uniform(10, 16))
        scene.blob((x, y), size, size * 0.9, vary(rng, pieces[int(rng.integers(4))]), wobble=0.06, lift=4)
    toppings.herbs(scene, centre, 180, 16)
    if rng.random() < 0.5:  # noqa: PLR2004
        chopsticks(scene, (centre[0] + 150, centre[1] - 140))
    else:
        spoon(scene, (centre[0] - 390, centre[1] - 160))


def seafood(scene: Scene) -> None:
    """A whole grilled fish, or prawns around a dip, with lemon."""
    rng, centre = scene.rng, middle(scene)
    plate(scene, centre, 355)
    if rng.random() < 0.5:  # noqa: PLR2004
        fish(scene, centre)
    else:
        for number in range(int(rng.integers(6, 9))):
            angle = number * 2 * np.pi / 8 + 0.3
            prawn(scene, (centre[0] + 165 * np.cos(angle), centre[1] + 165 * np.sin(angle)), angle)
        bowl(scene, centre, 80, (216, 60, 40))
    for step in range(3):
        toppings.lemon(scene, (centre[0] + 140 + step * 34, centre[1] + 190 - step * 50), 52)
    toppings.herbs(scene, (centre[0] - 60, centre[1] + 120), 130, 16)


def fish(scene: Scene, centre: Point) -> None:
    """A fish: tail, body, fins, scales, an eye."""
    x, y = centre
    colour = vary(scene.rng, (150, 150, 140), 20)
    scene.shadow(round_blob(scene.rng, (x - 20, y - 20), 270, 96, 0.01), offset=14, blur=5)
    tail = [(x + 215, y - 20), (x + 320, y - 110), (x + 300, y - 20), (x + 322, y + 66)]
    scene.solid(tail, darker(colour, 0.25), shine=0.3)
    scene.solid([(x - 60, y - 108), (x + 20, y - 146), (x + 96, y - 92)], darker(colour, 0.3))
    body = [(px, y - 20 + (py - y + 20) * (1 - max(0.0, (px - x) / 420))) for px, py in
            round_blob(scene.rng, (x - 20, y - 20), 270, 100, 0.0)]  # fmt: skip
    scene.solid(body, colour, depth=0.5, shine=0.55)
    for row in range(-2, 3):
        for column in range(11):
            sx, sy = x - 130 + column * 30 + row % 2 * 15, y - 20 + row * 26
            scene.draw.arc((sx - 18, sy - 18, sx + 18, sy + 18), 100, 260, fill=darker(colour, 0.3), width=3)
    for cut in range(3):
        scene.draw.line((x - 60 + cut * 84, y - 74, x - 96 + cut * 84, y + 34), fill=(96, 66, 44), width=9)
    scene.draw.arc((x - 240, y - 96, x - 140, y + 56), 290, 70, fill=darker(colour, 0.45), width=5)
    scene.blob((x - 228, y - 44), 18, 18, (244, 240, 226), wobble=0.0)
    scene.blob((x - 228, y - 44), 9, 9, (24, 22, 22), wobble=0.0)


def prawn(scene: Scene, at: Point, turn: float) -> None:
    """A prawn: segments along a curl, getting smaller to the tail."""
    colour = vary(scene.rng, (240, 132, 88))
    for part in range(11):
        angle = turn - 1.2 + part * 0.30
        centre = at[0] + 58 * np.cos(angle), at[1] + 58 * np.sin(angle)
        size = 36 - part * 1.9
        tone = lighter(colour, 0.35) if part % 2 else colour
        scene.blob(centre, size, size * 0.72, tone, turn=angle, wobble=0.02, depth=0.3, lift=6)
    end = at[0] + 58 * np.cos(turn + 2.0), at[1] + 58 * np.sin(turn + 2.0)
    for side in (-0.5, 0.5):
        toppings.leaf(scene, end, 26, turn + 3.4 + side, (214, 84, 54))


def soup(scene: Scene) -> None:
    """A bowl of soup with a swirl of cream, croutons and herbs."""
    rng, centre = scene.rng, middle(scene)
    soups: tuple[Colour, ...] = ((206, 78, 36), (226, 150, 52), (116, 142, 62), (150, 38, 64), (216, 186, 128))
    colour = vary(rng, soups[int(rng.integers(len(soups)))])
    bowl(scene, centre, 318, colour)
    scene.texture(round_blob(rng, centre, 270, 270, 0.0), 0.10, 26)
    turns = np.linspace(0.6, 3.4 * np.pi, 90)
    swirl = [(centre[0] + (16 * t) * np.cos(t + 0.3), centre[1] + (15 * t) * np.sin(t + 0.3)) for t in turns.tolist()]
    for width, tone in ((20, lighter(colour, 0.35)), (11, (250, 242, 226))):
        scene.draw.line(swirl, fill=tone, width=width, joint="curve")
    for x, y in scatter(rng, (centre[0] + 70, centre[1] + 60), 120, 13):
        side, turn = float(rng.uniform(20, 28)), float(rng.uniform(0, 1.5))
        scene.blob((x, y), side, side, vary(rng, (206, 148, 78)), wobble=0.16, turn=turn, lift=7)
    toppings.herbs(scene, (centre[0] - 30, centre[1] - 20), 170, 22)
    scene.dots(centre, 220, 60, (44, 34, 28), (1.5, 3.2))
    spoon(scene, (centre[0] + 400, centre[1] - 150))


def veggie(scene: Scene) -> None:
    """A salad: leaves, tomatoes, cucumber, onion."""
    rng, centre = scene.rng, middle(scene)
    bowl(scene, centre, 330, (70, 92, 44))
    greens: tuple[Colour, ...] = ((96, 148, 56), (130, 176, 76), (64, 112, 52), (110, 60, 84))
    for x, y in scatter(rng, centre, 215, 64):
        green = greens[int(rng.choice(4, p=(0.4, 0.3, 0.22, 0.08)))]
        toppings.leaf(scene, (x, y), float(rng.uniform(60, 104)), float(rng.uniform(0, 2 * np.pi)), green)
    for x, y in scatter(rng, centre, 200, 7):
        toppings.cucumber(scene, (x, y), 54)
    for x, y in scatter(rng, centre, 210, 9):
        toppings.tomato(scene, (x, y), 40)
    for x, y in scatter(rng, centre, 180, 5):
        r = float(rng.uniform(34, 54))
        scene.draw.ellipse((x - r, y - r * 0.8, x + r, y + r * 0.8), outline=(206, 156, 190), width=7)
    for x, y in scatter(rng, centre, 200, 12):
        scene.blob((x, y), 20, 18, (250, 246, 236), wobble=0.15, depth=0.15, lift=5)
    scene.dots(centre, 220, 50, (240, 220, 160), (2, 4))
