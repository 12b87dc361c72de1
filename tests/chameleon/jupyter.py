"""What a notebook finds in Chameleon's Jupyter: variables, an SSH key, and a kernel with python-chi."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import trustme

from labkit.stack import environments
from tests.chameleon.lookalike.tokens import Tokens
from tests.chameleon.lookalike.world import BASE

HOST = "kvm.tacc.chameleoncloud.org"
ENVIRONMENT = "chameleon"
CONTROL = "control.sock"
"""Where the look-alike can be asked from outside of its namespace, in its folder."""
KERNEL = "chameleon"
PASSED_ON = ("LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True)
class Ports:
    """Where the look-alike listens; `ssh` is added to the last part of a floating IP, and 0 means its own port 22."""

    cloud: int = 5000
    ssh: int = 0


@dataclass(frozen=True)
class Jupyter:
    """The folder of one student's Jupyter, and where it finds the cloud."""

    folder: Path
    ports: Ports = Ports()

    @property
    def private_key(self) -> Path:
        """Where OS_KEYPAIR_PRIVATE_KEY says that the key is."""
        return self.folder / "home" / ".ssh" / "id_ed25519"

    @property
    def public_key(self) -> Path:
        """Where OS_KEYPAIR_PUBLIC_KEY says that the key is."""
        return self.private_key.with_suffix(".pub")

    @property
    def authority(self) -> Path:
        """The certificate that the cloud's certificate is checked against."""
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        """The cloud's certificate, with its key."""
        return self.folder / "certificate.pem"

    def make(self) -> None:
        """Make the key, the certificates and the kernel's description; install what the kernel needs."""
        environments.ensure(ENVIRONMENT, lambda line: print(line, file=sys.stderr), finds_services=False)
        self.private_key.parent.mkdir(parents=True)
        key = asyncssh.generate_private_key("ssh-ed25519", comment="student")
        key.write_private_key(str(self.private_key))
        key.write_public_key(str(self.public_key))
        self.private_key.chmod(0o600)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.authority))
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(self.certificate))
        self._describe_kernel()

    def take_keys_away(self) -> None:
        """The variables name files that are not there."""
        self.private_key.unlink()
        self.public_key.unlink()

    def _describe_kernel(self) -> None:
        folder = self.folder / "jupyter" / "kernels" / KERNEL
        folder.mkdir(parents=True)
        python = environments.program(ENVIRONMENT, "python")
        argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": KERNEL, "language": "python"}))

    def client_variables(self) -> dict[str, str]:
        """Where what starts the kernel looks for it, and keeps its own files: not in the home of who runs the tests."""
        folder = self.folder / "jupyter"
        return {
            "JUPYTER_PATH": str(folder),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "IPYTHONDIR": str(folder / "ipython"),
        }

    def variables(self) -> dict[str, str]:
        """All variables of the kernel; nothing else of ours reaches it."""
        path = f"{environments.folder(ENVIRONMENT) / 'bin'}:{os.environ['PATH']}"
        own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return own | {"HOME": str(self.folder / "home"), "PATH": path} | self._chameleon() | self._look_alike()

    def _chameleon(self) -> dict[str, str]:
        """What Chameleon's JupyterHub sets."""
        return {
            "USER": "student",
            "OS_USERNAME": "student",
            "JUPYTERHUB_USER": "student",
            "JUPYTERHUB_API_URL": f"{BASE}/hub/api",
            "JUPYTERHUB_API_TOKEN": Tokens().hub,
            "OS_ACCESS_TOKEN": "an access token that has expired long ago",
            "OS_AUTH_TYPE": "v3oidcaccesstoken",
            "OS_AUTH_URL": f"{BASE}/v3",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_IDENTITY_PROVIDER": "chameleon",
            "OS_INTERFACE": "public",
            "OS_KEYPAIR_NAME": "student-jupyter",
            "OS_KEYPAIR_PRIVATE_KEY": str(self.private_key),
            "OS_KEYPAIR_PUBLIC_KEY": str(self.public_key),
            "OS_PROJECT_DOMAIN_NAME": "chameleon",
            "OS_PROTOCOL": "openid",
            "OS_REGION_NAME": "KVM@TACC",
        }

    def _look_alike(self) -> dict[str, str]:
        """What is different from Chameleon's."""
        seed = {
            "PYTHONPATH": str(Path(__file__).with_name("seed")),
            "LOOKALIKE_PORT": str(self.ports.cloud),
            "LOOKALIKE_SSH_PORT": str(self.ports.ssh),
        }
        return (seed if self.ports.ssh else {}) | {
            "CHI_RESOURCE_API_URL": f"{BASE}/reference",
            "OS_CAFILE": str(self.authority),
            "REQUESTS_CA_BUNDLE": str(self.authority),
        }
