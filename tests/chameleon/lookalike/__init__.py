"""An OpenStack cloud that looks like KVM@TACC to python-chi: its HTTP interfaces, its nodes, and how they fail."""
