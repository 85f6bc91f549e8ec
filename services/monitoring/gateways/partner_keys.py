"""The departments' public keys, as the operator registered them in a file."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.shared.runtime.callers import DEVELOPMENT_KEY_PREFIX, UntrustedKeys
from services.shared.vocabulary.actor import NATION

_REGION = re.compile("[0-9]{6}")
_RAW_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """One key: whose it is, which feeds it may sign, and the region (GB/T 2260) that the department stands for."""

    key_id: str
    partner: str
    feeds: frozenset[str]
    region: str
    public_key: Ed25519PublicKey


def read_partner_keys(path: Path, is_production: bool) -> Mapping[str, PartnerKey]:
    """The keys of the JWKS file (RFC 8037) by `kid`; each also has `partner`, `feeds` and perhaps `region`.

    Without `region` a department stands for the nation. Raises UntrustedKeys when an entry is incomplete or not
    Ed25519, a kid is there twice, or a development key (kid dev-…) stands in production.
    """
    try:
        entries = [_partner_key(entry) for entry in json.loads(path.read_text(encoding="utf-8"))["keys"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UntrustedKeys(
            f"部门公钥文件有误 / the partner keys file {path} is wrong ({type(error).__name__})"
        ) from None
    keys = {entry.key_id: entry for entry in entries}
    if len(keys) != len(entries):
        raise UntrustedKeys(f"部门公钥文件中 kid 重复 / a kid is repeated in {path}")
    if is_production and any(key_id.startswith(DEVELOPMENT_KEY_PREFIX) for key_id in keys):
        raise UntrustedKeys("生产环境不接受开发密钥 / production refuses development keys (kid dev-…)")
    return keys


def _partner_key(entry: Mapping[str, Any]) -> PartnerKey:
    x = entry["x"]
    raw = base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))
    region = entry.get("region", NATION)
    if (
        entry["kty"] != "OKP"
        or entry["crv"] != "Ed25519"
        or len(raw) != _RAW_KEY_BYTES
        or not _REGION.fullmatch(region)
    ):
        raise ValueError("not an Ed25519 key of a department")
    feeds = frozenset(str(feed) for feed in entry["feeds"])
    return PartnerKey(str(entry["kid"]), str(entry["partner"]), feeds, region, Ed25519PublicKey.from_public_bytes(raw))
