"""The department's command: `keygen` makes its key, `send-deaths` signs and posts a batch of death records."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from sandbox.department.death_batch import DeathBatch, RowsRefused, read_rows
from sandbox.department.key_pair import KeyRefused, make_key_pair, read_key
from sandbox.department.signed_post import NoAnswer, post_signed

REFUSED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the receiver took the batch (perhaps returning rows), 1 when it did not or nothing was sent."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (KeyRefused, RowsRefused, NoAnswer, httpx.InvalidURL) as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED


def _keygen(arguments: argparse.Namespace) -> int:
    path, jwk = make_key_pair(arguments.folder, arguments.key_id)
    sys.stderr.write(f"{path} holds the private key; keep it. The receiver registers this public key:\n")
    sys.stdout.write(json.dumps(jwk) + "\n")
    return 0


def _send_deaths(arguments: argparse.Namespace) -> int:
    key = read_key(arguments.key)
    batch = DeathBatch(arguments.batch_no, arguments.as_of, read_rows(arguments.rows), arguments.mode)
    answer = post_signed(arguments.url, batch.body(), key, arguments.key_id or arguments.key.stem)
    sys.stdout.write(answer.body.decode("utf-8", "replace") + "\n")
    return 0 if 200 <= answer.status < 300 else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.department", description=__doc__)
    commands = parser.add_subparsers(required=True)
    keygen = commands.add_parser("keygen", help="make an Ed25519 key pair")
    keygen.add_argument("--key-id", required=True, help="the name under which the receiver registers the key")
    keygen.add_argument("--folder", type=Path, required=True, help="where KEY_ID.pem is written, readable by you alone")
    keygen.set_defaults(run=_keygen)
    send = commands.add_parser("send-deaths", help="sign and post a batch of death records")
    send.add_argument("--url", required=True, help="…/monitoring/v1/feeds/deaths/batches")
    send.add_argument("--key", type=Path, required=True, help="the PEM file that keygen wrote")
    send.add_argument("--key-id", help="default: the key file's name without .pem")
    send.add_argument("--rows", type=Path, required=True, help="CSV with id_number, died_on, source, or a JSON list")
    send.add_argument("--batch-no", required=True, help="the same number with the same rows is the same batch")
    send.add_argument("--as-of", required=True, help="the day the records were drawn, YYYY-MM-DD")
    send.add_argument("--mode", choices=("full", "delta"), default="delta")
    send.set_defaults(run=_send_deaths)
    return parser


if __name__ == "__main__":
    sys.exit(main())
