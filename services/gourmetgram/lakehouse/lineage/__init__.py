"""Where a decision, an image or a model comes from: the chain back to the topics, in words and as a picture."""

from gourmetgram.lakehouse.lineage.chain import Chain, Edge, Node, mermaid, told
from gourmetgram.lakehouse.lineage.lake import Unknown
from gourmetgram.lakehouse.lineage.picture import picture
from gourmetgram.lakehouse.lineage.questions import KINDS, lineage

__all__ = ["KINDS", "Chain", "Edge", "Node", "Unknown", "lineage", "mermaid", "picture", "told"]
