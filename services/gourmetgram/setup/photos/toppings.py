"""Small things that make a dish look eaten: herbs, lemon, tomatoes, cucumber, berries."""

import numpy as np

from gourmetgram.setup.photos.brush import Colour, Point, Scene, darker, lighter, scatter, vary

HERB: Colour = (74, 128, 52)
TOMATO: Colour = (206, 52, 40)
LEMON: Colour = (246, 214, 72)
CUCUMBER: Colour = (196, 222, 150)
BERRIES: tuple[Colour, ...] = ((170, 28, 54), (70, 62, 122), (206, 40, 60))


def herbs(scene: Scene, centre: Point, reach: float, count: int) -> None:
    """Chopped leaves."""
    for x, y in scatter(scene.rng, centre, reach, count):
        leaf(scene, (x, y), float(scene.rng.uniform(9, 20)), float(scene.rng.uniform(0, np.pi)), HERB)


def leaf(scene: Scene, centre: Point, length: float, turn: float, colour: Colour) -> None:
    """One pointed leaf with a vein along its middle."""
    along = np.linspace(-1, 1, 16)
    across = 0.42 * (1 - along**2) ** 0.8
    x = np.concatenate((along, along[::-1])) * length
    y = np.concatenate((across, -across[::-1])) * length
    cos, sin = np.cos(turn), np.sin(turn)
    points = list(zip((centre[0] + x * cos - y * sin).tolist(), (centre[1] + x * sin + y * cos).tolist(), strict=True))
    scene.solid(points, vary(scene.rng, colour), shine=0.3)
    scene.draw.line((points[0], points[15]), fill=lighter(colour, 0.35), width=max(1, int(length / 22)))


def lemon(scene: Scene, centre: Point, radius: float) -> None:
    """A slice of lemon."""
    scene.blob(centre, radius, radius, LEMON, wobble=0.01, depth=0.2, lift=8)
    scene.blob(centre, radius * 0.88, radius * 0.88, (252, 244, 206), wobble=0.01, depth=0.05)
    for part in range(8):
        angle = part * np.pi / 4 + 0.2
        at = centre[0] + radius * 0.46 * np.cos(angle), centre[1] + radius * 0.46 * np.sin(angle)
        scene.blob(at, radius * 0.36, radius * 0.15, (248, 220, 96), wobble=0.03, turn=angle, depth=0.1, shine=0.5)


def tomato(scene: Scene, centre: Point, radius: float) -> None:
    """A cherry tomato with a highlight."""
    scene.blob(centre, radius, radius, vary(scene.rng, TOMATO), wobble=0.03, lift=8)
    glint(scene, centre, radius)


def glint(scene: Scene, centre: Point, radius: float) -> None:
    """A window reflected in something wet."""
    at = centre[0] - radius * 0.36, centre[1] - radius * 0.40
    scene.blob(at, radius * 0.18, radius * 0.11, (255, 250, 244), wobble=0.0, turn=-0.7, depth=0.0)


def cucumber(scene: Scene, centre: Point, radius: float) -> None:
    """A slice of cucumber."""
    scene.blob(centre, radius, radius, (58, 104, 50), wobble=0.02, lift=7)
    scene.blob(centre, radius * 0.88, radius * 0.88, CUCUMBER, wobble=0.02, depth=0.12)
    for part in range(9):
        angle = part * 2 * np.pi / 9
        at = centre[0] + radius * 0.45 * np.cos(angle), centre[1] + radius * 0.45 * np.sin(angle)
        scene.blob(at, radius * 0.11, radius * 0.05, (228, 236, 192), turn=angle, wobble=0.0, depth=0.1)


def berry(scene: Scene, centre: Point, radius: float) -> None:
    """A berry."""
    colour = BERRIES[int(scene.rng.integers(len(BERRIES)))]
    scene.blob(centre, radius, radius * 0.95, vary(scene.rng, colour), wobble=0.04, lift=7)
    scene.dots(centre, radius * 0.7, 8, darker(colour, 0.35), (1.5, 2.5))
    glint(scene, centre, radius)


def cream(scene: Scene, centre: Point, radius: float) -> None:
    """A dollop of whipped cream, ring upon ring."""
    for step in range(4):
        share = 1 - step * 0.24
        at = centre[0] - step * 2, centre[1] - step * 3
        scene.blob(at, radius * share, radius * share, (250, 244, 232), wobble=0.06, depth=0.22, lift=5)


def boiled_egg(scene: Scene, centre: Point, radius: float) -> None:
    """Half a boiled egg, its yolk up."""
    turn = float(scene.rng.uniform(-0.6, 0.6))
    scene.blob(centre, radius, radius * 0.78, (250, 246, 238), wobble=0.02, turn=turn, depth=0.15, lift=9)
    scene.blob(centre, radius * 0.52, radius * 0.48, (240, 160, 42), wobble=0.03, depth=0.2)
    glint(scene, centre, radius * 0.5)
