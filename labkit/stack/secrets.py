"""Passwords of this checkout: made at random once, kept where only their owner can read them."""

import base64
import os
import secrets
import string
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from labkit.alone import alone
from labkit.paths import ENV_TEMPLATE, ROOT, SECRETS
from labkit.stack.errors import StackError

LENGTH = 32

_ALPHABET = string.ascii_letters + string.digits


def random_secret() -> str:
    """32 letters and digits: 190 bits, and nothing that any configuration format would have to escape."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))


def random_key() -> str:
    """32 bytes in the base64 of addresses, as the encryption that is called Fernet wants its key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(LENGTH)).decode()


IMAGE_USER = 10001
"""The user of our own images."""


def container_user(folder: Path = ROOT) -> str:
    """Whom containers that write to folders of this checkout run as: us, or its owner, but never root."""
    return str(os.getuid() or folder.stat().st_uid or IMAGE_USER)


def container_group(folder: Path = ROOT) -> str:
    """The group that goes with it."""
    return str(os.getgid() or folder.stat().st_gid or IMAGE_USER)


GENERATORS = {
    "<generate>": random_secret,
    "<generate-key>": random_key,
    "<user-id>": container_user,
    "<group-id>": container_group,
}
"""What stands in the template in place of a value, and what makes one."""


def ensure(template: Path = ENV_TEMPLATE, target: Path = SECRETS) -> dict[str, str]:
    """Read the secrets, after making those that the template has and the file lacks. Existing ones never change."""
    with alone(target.parent / ".env.lock"):
        known = read(target)
        text = target.read_text() if target.exists() else ""
        if text and not text.endswith("\n"):  # somebody has written the last line
            text += "\n"
        for line in template.read_text().splitlines():
            name, _, value = line.partition("=")
            if line.startswith("#") or not value:
                text += "" if target.exists() else f"{line}\n"
            elif name not in known:
                text += f"{name}={GENERATORS[value]() if value in GENERATORS else value}\n"
        _write_private(target, text)
    return read(target)


def note(values: Mapping[str, str], target: Path = SECRETS) -> None:
    """Write down settings that are no secrets, in place of what was said of them before."""
    with alone(target.parent / ".env.lock"):
        kept = [line for line in target.read_text().splitlines() if line.partition("=")[0] not in values]
        _write_private(target, "\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n")


def read(target: Path = SECRETS) -> dict[str, str]:
    """The secrets as they are; empty when none were made yet."""
    return {name: value or "" for name, value in dotenv_values(target, interpolate=False).items()}


def _write_private(target: Path, text: str) -> None:
    if target.exists() and target.read_text() == text:
        return
    new = target.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.rename(target)


def setting(name: str, target: Path = SECRETS) -> str:
    """One value.

    Raises:
        StackError: there is no such setting.
    """
    values = read(target)
    if name not in values:
        raise StackError(f"There is no setting {name} in docker/.env. There are: {', '.join(values) or 'none yet'}.")
    return values[name]
