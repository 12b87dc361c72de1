"""Files between this Jupyter and our server: the lab to it, and what a student takes along from it."""

import os
import shlex
import subprocess
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = "lab"
"""Where the lab is on the server, below the home folder."""

LEFT_OUT: Final = {".git", ".venv", "build", "__pycache__", ".ipynb_checkpoints"}
SECRETS: Final = PurePosixPath("docker/.env")


def bring_lab(node: Any, url: str, revision: str) -> None:
    """Put the lab on the server, whole or not at all: this copy of it, or a clone if a `url` is given.

    What is there already stays as it is, for a student may have worked in it.
    """
    with node.ssh_connection() as shell:
        if shell.run(f"test -e {FOLDER}", warn=True, hide=True).ok:
            print(f"the lab is on the server already, in ~/{FOLDER}")
            return
        shell.run(f"rm -rf {FOLDER}.new", hide=True)
        if url:
            shell.run(f"git clone --quiet {shlex.quote(url)} {FOLDER}.new", hide=True)
            shell.run(f"git -C {FOLDER}.new checkout --quiet {shlex.quote(revision or 'HEAD')}", hide=True)
        else:
            _copy(shell)
        shell.run(f"mv {FOLDER}.new {FOLDER}", hide=True)
    print(f"the lab is on the server, in ~/{FOLDER}: {f'{revision or url}, from {url}' if url else 'this copy of it'}")


def _copy(shell: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder, f"{FOLDER}.tar.gz")
        with tarfile.open(packed, "w:gz") as archive:
            for name in files(ROOT):
                archive.add(ROOT / name, name, recursive=False)
        shell.put(str(packed), packed.name)
    shell.run(f"mkdir {FOLDER}.new && tar -xzf {packed.name} -C {FOLDER}.new && rm {packed.name}", hide=True)


def files(root: Path) -> list[str]:
    """The files of this copy that belong to the lab, and neither passwords nor what was made here."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=True)
        return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    found: list[str] = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(set(below) - LEFT_OUT)
        found += [Path(folder, name).relative_to(root).as_posix() for name in sorted(names)]
    return [name for name in found if PurePosixPath(name) != SECRETS]


def fetch_pack(node: Any, target: Path) -> str:
    """Pack on the server what the student takes along, and download it; the archive's SHA-256.

    Raises:
        RuntimeError: what has arrived is not what was packed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    arriving = target.with_name(f"{target.name}.new")
    with node.ssh_connection() as shell:
        print(shell.run(f"cd {FOLDER} && ./lab pack $HOME/{target.name}", hide=True).stdout, end="")
        wanted = shell.run(f"sha256sum {target.name}", hide=True).stdout.split()[0]
        shell.get(target.name, str(arriving))
    checksum = sha256(arriving.read_bytes()).hexdigest()
    if checksum != wanted:
        raise RuntimeError(f"the archive has not arrived whole (SHA-256 {checksum}, expected {wanted})")
    arriving.replace(target)
    return checksum
