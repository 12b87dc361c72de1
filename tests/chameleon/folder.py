"""Where things are in the folder of a place; no more than names, as several programs share them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """The folder of one look-alike, and of one student's Jupyter beside it."""

    path: Path
    kernel = "chameleon"

    @property
    def home(self) -> Path:
        """The student's home."""
        return self.path / "home"

    @property
    def private_key(self) -> Path:
        """Where OS_KEYPAIR_PRIVATE_KEY says that the key is."""
        return self.home / ".ssh" / "id_ed25519"

    @property
    def public_key(self) -> Path:
        """Where OS_KEYPAIR_PUBLIC_KEY says that the key is."""
        return self.private_key.with_suffix(".pub")

    @property
    def authority(self) -> Path:
        """The certificate that the cloud's certificate is checked against."""
        return self.path / "authority.pem"

    @property
    def certificate(self) -> Path:
        """The cloud's certificate, with its key."""
        return self.path / "certificate.pem"

    @property
    def control(self) -> Path:
        """Socket on which the look-alike can be asked from outside of its namespace."""
        return self.path / "control.sock"

    @property
    def variables(self) -> Path:
        """All variables of the kernel, as JSON."""
        return self.path / "variables.json"

    @property
    def kernel_description(self) -> Path:
        """How to start the kernel."""
        return self.path / "jupyter" / "kernels" / self.kernel / "kernel.json"

    @property
    def client_variables(self) -> dict[str, str]:
        """Where what starts the kernel looks for it, and keeps its own files: not in the home of who runs the tests."""
        jupyter = self.path / "jupyter"
        return {
            "JUPYTER_PATH": str(jupyter),
            "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
            "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
            "IPYTHONDIR": str(jupyter / "ipython"),
        }
