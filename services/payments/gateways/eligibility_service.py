"""The eligibility service: asked for the policy packs that awards rest on."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from services.shared.policy.pack import CASES, PACK_FILES
from services.shared.runtime.service_client import ServiceClient

POLICY_PACKS = "/eligibility/v1/policy-packs"
MAX_ANSWER_BYTES = 11_000_000
"""A pack as JSON: eligibility takes none of more than ten million."""
DECIDING_FILES = tuple(pattern for pattern in PACK_FILES if pattern != CASES)
"""Golden cases prove and do not decide, so no hash vouches for them."""


def fetch_pack(client: ServiceClient, pack_id: str, version: str) -> Mapping[str, bytes]:
    """The deciding files of a published version by name; none when the answer is no pack.

    Whether they are what an award names is for the caller to see. Raises PeerUnavailable and PeerRefused.
    """
    answer = client.get(f"{POLICY_PACKS}/{quote(pack_id, safe='')}/{quote(version, safe='')}", MAX_ANSWER_BYTES)
    return _deciding_files(answer.get("files"))


def _deciding_files(files: Any) -> Mapping[str, bytes]:
    found = files.items() if isinstance(files, dict) else ()
    try:
        return {
            name: text.encode() for name, text in found if any(fnmatchcase(name, pattern) for pattern in DECIDING_FILES)
        }
    except (AttributeError, UnicodeEncodeError):
        return {}
