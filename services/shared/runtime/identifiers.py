"""New identifiers for the edge to hand in: a prefix that says what it names, then a sortable UUIDv7 (RFC 9562)."""

from typeid import TypeID


def new_id(prefix: str) -> str:
    """A fresh identifier such as `award_01h455vb4pex5vsknk084sn02q`: opaque, sortable by time of making."""
    return str(TypeID(prefix=prefix))
