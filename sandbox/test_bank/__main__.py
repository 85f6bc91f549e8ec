"""Starts the test bank: `python -m sandbox.test_bank --port 8104 --data DIR`."""

import argparse
import os
import secrets
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import uvicorn

from sandbox.test_bank.app import create_app
from sandbox.test_bank.book import Book

KEY_VARIABLE = "DOUDI_TEST_BANK_KEY"
KEY_FILE = "test_bank.key"
BOOK_FILE = "test_bank.sqlite3"
ACCOUNT = "420100000000000001"
OPENING_YUAN = 1_000_000
CHINA_STANDARD_TIME = timezone(timedelta(hours=8), "CST")
SHUTDOWN_SECONDS = 5


def main() -> int:
    """Read the arguments, open or continue the book, and serve until stopped."""
    arguments = _arguments()
    arguments.data.mkdir(parents=True, exist_ok=True)
    book = Book(arguments.data / BOOK_FILE)
    book.open_account(arguments.account, arguments.opening_yuan * 100)
    app = create_app(book, _key(arguments), arguments.account, _wall_clock)
    # An access log would write every path; nothing here needs one.
    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox.test_bank", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8104)
    parser.add_argument("--data", type=Path, required=True, help="folder of the book; continued when it exists")
    parser.add_argument("--key-file", type=Path, help=f"bearer key; default DATA/{KEY_FILE}, made when missing")
    parser.add_argument("--account", default=ACCOUNT, help="the payer's account")
    parser.add_argument("--opening-yuan", type=int, default=OPENING_YUAN, help="its balance in a new book, whole yuan")
    return parser.parse_args()


def _key(arguments: argparse.Namespace) -> str:
    if KEY_VARIABLE in os.environ:
        return os.environ[KEY_VARIABLE]
    path = arguments.key_file or arguments.data / KEY_FILE
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def _wall_clock() -> datetime:
    return datetime.now(CHINA_STANDARD_TIME)


if __name__ == "__main__":
    sys.exit(main())
