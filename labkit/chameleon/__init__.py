"""What the notebooks that run in Chameleon's Jupyter use beside python-chi.

That Jupyter has python-chi, and none of the lab's own packages: only python-chi and the standard library are imported.
"""

from labkit.chameleon.causes import Cause, cause_of
from labkit.chameleon.explain import ChameleonError, usual_causes

__all__ = ["Cause", "ChameleonError", "cause_of", "usual_causes"]
