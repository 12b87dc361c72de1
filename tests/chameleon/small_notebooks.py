"""Notebooks that tests write themselves."""

from pathlib import Path

import nbformat


def write(file: Path, *cells: str, parameters: str = "") -> Path:
    """A notebook of these code cells, after one with the tag `parameters` if there are any."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    if parameters:
        book.cells.insert(0, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, file)
    return file


BEGIN = """\
from datetime import timedelta
from chi import context, lease, network, server

context.version = "1.0"
context.choose_project()
context.choose_site(default="KVM@TACC")
"""
CREATE = (
    BEGIN,
    """\
mine = lease.Lease("lease-data-student", duration=timedelta(hours=8))
mine.add_flavor_reservation(id=server.get_flavor_id("m1.xlarge"), amount=1)
mine.submit(idempotent=True)""",
    """\
node = server.Server(
    "node-data-student", image_name="CC-Ubuntu24.04", flavor_name=mine.get_reserved_flavors()[0].name
)
node.submit(idempotent=True)""",
    "node.associate_floating_ip()",
    """\
for port in (22, 8888):
    group = network.SecurityGroup({"name": f"allow-{port}", "description": f"TCP {port}"})
    group.add_rule(direction="ingress", protocol="tcp", port=port)
    group.submit(idempotent=True)
    node.add_security_group(group.name)""",
    "node.refresh()\nnode.check_connectivity(timeout=30)",
    """\
from pathlib import Path

Path("lab.txt").write_text("from Chameleon's Jupyter")
node.upload("lab.txt", "lab.txt")
node.execute(
    "cat lab.txt; sudo apt-get install -y docker.io && sudo usermod -aG docker cc && sg docker -c 'docker ps'"
)""",
)
"""As a student makes a node, with python-chi alone."""
DELETE = (
    BEGIN,
    """\
node = server.get_server("node-data-student")
address = node.get_floating_ip()
server.delete_server(node.id)""",
    "network.deallocate_floating_ip(address)",
    'lease.delete_lease(lease.get_lease("lease-data-student").id)',
)
"""And deletes it."""
