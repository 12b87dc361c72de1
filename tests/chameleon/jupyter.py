"""Makes what a notebook finds in Chameleon's Jupyter: variables, an SSH key, and a kernel with python-chi."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import trustme

from labkit.stack import environments
from tests.chameleon.folder import Folder
from tests.chameleon.lookalike.tokens import Tokens
from tests.chameleon.lookalike.world import BASE
from tests.chameleon.namespace import HOST

ENVIRONMENT = "chameleon"
PASSED_ON = ("LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True)
class Ports:
    """Where the look-alike listens; `ssh` is added to the last part of a floating IP, and 0 means its own port 22."""

    cloud: int = 5000
    ssh: int = 0


def make(folder: Folder, ports: Ports) -> None:
    """Make the key, the certificates and the kernel's description; install what the kernel needs."""
    environments.ensure(ENVIRONMENT, lambda line: print(line, file=sys.stderr), finds_services=False)
    _make_key(folder)
    _make_certificates(folder)
    _describe_kernel(folder)
    folder.variables.write_text(json.dumps(variables(folder, ports)))


def _make_key(folder: Folder) -> None:
    folder.private_key.parent.mkdir(parents=True)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="student")
    key.write_private_key(str(folder.private_key))
    key.write_public_key(str(folder.public_key))
    folder.private_key.chmod(0o600)


def _make_certificates(folder: Folder) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder.authority))
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(folder.certificate))


def _describe_kernel(folder: Folder) -> None:
    folder.kernel_description.parent.mkdir(parents=True)
    argv = [environments.program(ENVIRONMENT, "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    description = {"argv": argv, "display_name": folder.kernel, "language": "python"}
    folder.kernel_description.write_text(json.dumps(description))


def take_keys_away(folder: Folder) -> None:
    """The variables name files that are not there."""
    folder.private_key.unlink()
    folder.public_key.unlink()


def variables(folder: Folder, ports: Ports) -> dict[str, str]:
    """All variables of the kernel; nothing else of ours reaches it."""
    own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    path = f"{environments.folder(ENVIRONMENT) / 'bin'}:{os.environ['PATH']}"
    return own | {"HOME": str(folder.home), "PATH": path} | _of_chameleon(folder) | _of_the_look_alike(folder, ports)


def _of_chameleon(folder: Folder) -> dict[str, str]:
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
        "OS_KEYPAIR_PRIVATE_KEY": str(folder.private_key),
        "OS_KEYPAIR_PUBLIC_KEY": str(folder.public_key),
        "OS_PROJECT_DOMAIN_NAME": "chameleon",
        "OS_PROTOCOL": "openid",
        "OS_REGION_NAME": "KVM@TACC",
    }


def _of_the_look_alike(folder: Folder, ports: Ports) -> dict[str, str]:
    """What is different from Chameleon's; without a namespace, connections are led to our ports as well."""
    seed = {
        "PYTHONPATH": str(Path(__file__).with_name("seed")),
        "LOOKALIKE_PORT": str(ports.cloud),
        "LOOKALIKE_SSH_PORT": str(ports.ssh),
    }
    return (seed if ports.ssh else {}) | {
        "CHI_RESOURCE_API_URL": f"{BASE}/reference",
        "OS_CAFILE": str(folder.authority),
        "REQUESTS_CA_BUNDLE": str(folder.authority),
    }
