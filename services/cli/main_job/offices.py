"""The people and systems of the main job, each with a token of their own, calling the services over HTTP."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

import httpx

from services.cli.provision import DEPARTMENT_KEY_ID, SERVICES
from services.cli.token import development_token
from services.shared.runtime.clock import CHINA_STANDARD_TIME

OPENS_AT = time_of_day(9, 0)
ANSWER_SECONDS = 15.0
PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.5
FEED_SECONDS = 30


class MainJobFailed(Exception):
    """A step did not come out as the story says; the message says which."""


class Offices:
    """Calls to the three services and the bank, as caseworker, second person, maker, checker, auditor or operator."""

    def __init__(self, environment: Mapping[str, str], data_dir: Path) -> None:
        self.data_dir = data_dir
        self.urls = {name: environment[f"DOUDI_{name.upper()}_URL"] for name in SERVICES}
        self._bank_url = environment["DOUDI_PAYMENTS_BANK_URL"]
        self._bank_key = Path(environment["DOUDI_PAYMENTS_BANK_KEY_FILE"]).read_text(encoding="ascii").strip()
        self._http = httpx.Client(timeout=ANSWER_SECONDS, trust_env=False)
        self._tokens: dict[str, str] = {}

    def get(self, role: str, path: str, **query: str) -> Any:
        """The JSON answer of a read."""
        return self._checked(self._send(role, "GET", path, params=query)).json()

    def get_bytes(self, role: str, path: str) -> bytes:
        """The answer of a read that is not JSON; empty while it conflicts with what has yet to happen."""
        answer = self._send(role, "GET", path)
        return b"" if answer.status_code == httpx.codes.CONFLICT else self._checked(answer).content

    def post(self, role: str, path: str, body: Any, key: str) -> Any:
        """The JSON answer of a write, sent under the idempotency key `key`."""
        headers = {"Idempotency-Key": f"main-job/{key}"} if key else {}
        return self._checked(self._send(role, "POST", path, json=body, headers=headers)).json()

    def refused(self, role: str, path: str, body: Any, key: str) -> str:
        """The problem code of a write that must be refused."""
        answer = self._send(role, "POST", path, json=body, headers={"Idempotency-Key": f"main-job/{key}"})
        if answer.is_success:
            raise MainJobFailed(f"{path} 本应被拒绝 / should have been refused")
        return answer.json()["code"]

    def clock(self) -> datetime:
        """Where the test clock of payments stands."""
        return datetime.fromisoformat(self.get("operator", "/payments/v1/test-helpers/clock")["now"])

    def move_clock_to(self, day: date) -> None:
        """Put every clock at the opening of `day`; one that is there or later stays."""
        target = datetime.combine(day, OPENS_AT, CHINA_STANDARD_TIME)
        body = {"now": target.isoformat()}
        for service in self.urls:
            self._forward(self._send("operator", "POST", f"/{service}/v1/test-helpers/clock", json=body))
        self._forward(self._bank("POST", "/test-helpers/clock", body))

    def next_day(self) -> None:
        """A night passes."""
        self.move_clock_to((self.clock().astimezone(CHINA_STANDARD_TIME) + timedelta(days=1)).date())

    def push_deaths(self, rows: Path, batch_no: str, as_of: date) -> str:
        """The department's own process signs and sends a batch; its answer."""
        argv = [
            *(sys.executable, "-m", "sandbox.department", "send-deaths"),
            *("--url", f"{self.urls['monitoring']}/monitoring/v1/feeds/deaths/batches"),
            *("--key", str(self.data_dir / "keys" / "department.pem"), "--key-id", DEPARTMENT_KEY_ID),
            *("--rows", str(rows), "--batch-no", batch_no, "--as-of", as_of.isoformat()),
        ]
        sent = subprocess.run(argv, capture_output=True, text=True, timeout=FEED_SECONDS, check=False)
        if sent.returncode != 0:
            raise MainJobFailed(f"死亡名单未被接收 / the death records were not accepted: {sent.stdout}{sent.stderr}")
        return sent.stdout

    def until(self, what: str, look: Callable[[], Any]) -> Any:
        """What `look` finds once it finds something; the workers need a moment."""
        end, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_PAUSE_SECONDS
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        raise MainJobFailed(f"{PATIENCE_SECONDS:g} 秒内未见 / not seen in {PATIENCE_SECONDS:g} s: {what}")

    def _send(self, role: str, method: str, path: str, **options: Any) -> httpx.Response:
        url = self.urls[path.split("/", 2)[1]] + path
        headers = {"Authorization": f"Bearer {self._token(role)}", **options.pop("headers", {})}
        return self._http.request(method, url, headers=headers, **options)

    def _bank(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._bank_key}"}
        return self._http.request(method, self._bank_url + path, json=body, headers=headers)

    def _token(self, role: str) -> str:
        # "caseworker:2" is a second person with the same role.
        if role not in self._tokens:
            name, _, number = role.partition(":")
            self._tokens[role] = development_token(name, f"{name}-{number or 1}")
        return self._tokens[role]

    def _forward(self, answer: httpx.Response) -> None:
        if answer.status_code != httpx.codes.CONFLICT:
            self._checked(answer)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            asked = f"{answer.request.method} {answer.request.url.path}"
            raise MainJobFailed(f"{asked}: {answer.status_code} {answer.text[:500]}")
        return answer
