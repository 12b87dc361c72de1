"""The Docker engine of this machine, if one answers."""

import json
import subprocess
from typing import Any

from labkit.stack import Stack, secrets
from labkit.stack.interpolation import interpolate


def answers() -> bool:
    """Whether there is an engine that we may use."""
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def docker(*arguments: str) -> str:
    """What a `docker` command prints; it must succeed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def inspect(stack: Stack, service: str) -> dict[str, Any]:
    """Everything that the engine knows of a service's container."""
    found: dict[str, Any] = json.loads(docker("inspect", stack.containers()[service]))[0]
    return found


def inside(stack: Stack, service: str, *argv: str) -> str:
    """What a command prints in a service's container."""
    return docker("exec", stack.containers()[service], *argv)


def is_placeholder(stack: Stack, service: str) -> bool:
    """Whether the image only stands in for the public one, as a page without a program behind it."""
    image = interpolate(stack.file.image(service), secrets.read())
    return "STANDIN_PORT=" in docker("image", "inspect", image, "--format={{.Config.Env}}")
