"""What `doudi migrate` generates beside the data: keys, the services' addresses, and the file that names them."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey
from sqlalchemy import make_url

from services.eligibility.domain import permission as eligibility
from services.monitoring.domain import permission as monitoring
from services.payments.domain import permission as payments
from services.shared.runtime.callers import DEVELOPMENT_KEY_PREFIX
from services.shared.runtime.environment import ENVIRONMENT_FILE
from services.shared.runtime.personal_data import new_field_keys, write_field_keys
from services.shared.runtime.service_client import SERVICE_ROLE

SERVICES = ("eligibility", "monitoring", "payments")
PORTS = {"eligibility": 8101, "monitoring": 8102, "payments": 8103}
DEVELOPMENT_ISSUER = "development"
DEVELOPMENT_KEY_ID = f"{DEVELOPMENT_KEY_PREFIX}portal"
DEVELOPMENT_ROLES = tuple(
    sorted(
        {
            role
            for table in (eligibility.PERMISSIONS, monitoring.PERMISSIONS, payments.PERMISSIONS)
            for permission in table.values()
            for role in permission.roles
        }
        - {SERVICE_ROLE, monitoring.DEPARTMENT}
    )
)
"""Every role of a person or portal that a permission table names; services and departments sign for themselves."""
DEPARTMENT_KEY_ID = f"{DEVELOPMENT_KEY_PREFIX}civil-affairs-deaths"


def provision(data_dir: Path, owner_url: str, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of every process: what is `given` stands, the rest is made once and kept in the data folder.

    Files are the owner's alone (0600 in a 0700 folder). Nothing that exists is made anew.
    """
    keys = data_dir / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = {**read_environment_file(data_dir)}
    for service in SERVICES:
        prefix = f"DOUDI_{service.upper()}"
        settings[f"{prefix}_DATABASE_URL"] = _service_address(
            owner_url, service, settings.get(f"{prefix}_DATABASE_URL")
        )
        settings.setdefault(f"{prefix}_PORT", str(PORTS[service]))
        settings.setdefault(f"{prefix}_SIGNING_KEY_FILE", str(_private_key(keys / f"{service}-signing.pem")))
        settings.setdefault(f"{prefix}_LOG_KEY_FILE", str(_private_key(keys / f"{service}-log.pem")))
        settings.setdefault(
            f"{prefix}_PERSONAL_DATA_KEY_FILE", str(_field_keys(keys / f"{service}-personal-data.json"))
        )
    settings.setdefault("DOUDI_TRUSTED_KEYS_FILE", str(_trusted_keys(keys, settings)))
    settings.setdefault("DOUDI_MONITORING_PARTNER_KEYS_FILE", str(_partner_keys(keys)))
    settings.setdefault("DOUDI_PAYMENTS_BANK_KEY_FILE", str(_shared_secret(keys / "bank.key")))
    settings = {**settings, **{name: value for name, value in given.items() if name in settings}}
    _write_environment_file(data_dir, settings)
    return settings


def read_environment_file(data_dir: Path) -> dict[str, str]:
    """The settings in the data folder's file; empty before the first `migrate`."""
    file = data_dir / ENVIRONMENT_FILE
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def development_key(data_dir: Path) -> OKPKey:
    """The key that `doudi token` signs with; production refuses what it signs."""
    return OKPKey.import_key((data_dir / "keys" / "development.pem").read_text(encoding="utf-8"))


def _service_address(owner_url: str, service: str, before: str | None) -> str:
    """The service's role on the owner's server, wherever that is now, with the password that it had before."""
    password = make_url(before).password if before else secrets.token_urlsafe(24)
    return make_url(owner_url).set(username=f"doudi_{service}", password=password).render_as_string(hide_password=False)


def _private_key(path: Path) -> Path:
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_private(path, pem.decode())
    return path


def _field_keys(path: Path) -> Path:
    if not path.exists():
        write_field_keys(path, new_field_keys())
    return path


def _shared_secret(path: Path) -> Path:
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(32))
    return path


def _trusted_keys(keys: Path, settings: Mapping[str, str]) -> Path:
    path = keys / "trusted-keys.json"
    if not path.exists():
        entries = [
            _trusted(_private_key(keys / "development.pem"), DEVELOPMENT_KEY_ID, DEVELOPMENT_ISSUER, DEVELOPMENT_ROLES)
        ]
        for service in SERVICES:
            file = Path(settings[f"DOUDI_{service.upper()}_SIGNING_KEY_FILE"])
            entries.append(_trusted(file, service, service, (SERVICE_ROLE,)))
        _write_private(path, json.dumps({"keys": entries}, indent=1))
    return path


def _partner_keys(keys: Path) -> Path:
    path = keys / "partner-keys.json"
    if not path.exists():
        public = _public_jwk(_private_key(keys / "department.pem"))
        partner = {"partner": "civil-affairs", "feeds": ["deaths"], "region": "530113"}
        entry = {**public, "kid": DEPARTMENT_KEY_ID, **partner}
        _write_private(path, json.dumps({"keys": [entry]}, indent=1))
    return path


def _trusted(file: Path, key_id: str, issuer: str, roles: tuple[str, ...]) -> dict[str, Any]:
    return {**_public_jwk(file), "kid": key_id, "iss": issuer, "roles": list(roles)}


def _public_jwk(file: Path) -> dict[str, Any]:
    return dict(OKPKey.import_key(file.read_text(encoding="utf-8")).as_dict(private=False))


def _write_environment_file(data_dir: Path, settings: Mapping[str, str]) -> None:
    text = "# made by `doudi migrate`; the environment wins over this file\n"
    _write_private(data_dir / ENVIRONMENT_FILE, text + "".join(f"{k}={v}\n" for k, v in sorted(settings.items())))


def _write_private(path: Path, text: str) -> None:
    # Written beside and renamed, so that a kill leaves the old file or the new one, never half of one.
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
