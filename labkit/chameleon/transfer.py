"""Files between this Jupyter and our server: the lab to it, and what a student takes along from it."""

import os
import shlex
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from labkit.paths import ROOT, SECRETS

FOLDER: Final = "lab"
"""Where the lab is on the server, below the home folder."""

TOP: Final = {
    *("CHANGELOG.md", "LICENSE", "README.md", "build_docs.sh", "dags", "docker", "docs", "index.md", "lab", "labkit"),
    *("locks", "notebooks", "pyproject.toml", "services", "snippets", "tests", "trovi.json"),
}
"""What of the folder goes to the server: it may lie among other things of yours, such as keys."""

LEFT_OUT: Final = {"__pycache__", ".ipynb_checkpoints"}
NOT_ALL = 3
"""The exit status of `./lab pack` when it has packed all but what is in object storage."""


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
        names = [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    else:
        names = [path.relative_to(root).as_posix() for top in TOP for path in _below(root / top)]
    secrets = SECRETS.relative_to(ROOT).as_posix()
    return sorted(name for name in names if name.partition("/")[0] in TOP and name != secrets)


def _below(path: Path) -> Iterator[Path]:
    """A file itself, or the files of a folder."""
    if path.is_file():
        yield path
    for folder, below, names in os.walk(path):
        below[:] = sorted(set(below) - LEFT_OUT)
        yield from (Path(folder, name) for name in names)


def fetch_pack(node: Any, target: Path) -> str:
    """Pack on the server what the student takes along, and download it; the archive's SHA-256.

    Raises:
        RuntimeError: what has arrived is not what was packed, or the models are missing in it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    arriving = target.with_name(f"{target.name}.new")
    with node.ssh_connection() as shell:
        packed = shell.run(f"cd {FOLDER} && ./lab pack $HOME/{target.name}; echo status $?", hide=True).stdout
        said, _, status = packed.rpartition("status ")
        print(said, end="")
        if int(status) not in (0, NOT_ALL):
            raise RuntimeError(f"`./lab pack` has failed on the server, with status {int(status)}; see above")
        wanted = shell.run(f"sha256sum {target.name}", hide=True).stdout.split()[0]
        shell.get(target.name, str(arriving))
    checksum = sha256(arriving.read_bytes()).hexdigest()
    if checksum != wanted:
        raise RuntimeError(f"the archive has not arrived whole (SHA-256 {checksum}, expected {wanted})")
    arriving.replace(target)
    if int(status) == NOT_ALL:
        raise RuntimeError("the models are not packed; all else is")
    return checksum
