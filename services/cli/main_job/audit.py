"""The auditor's part of the main job: find a payment, open it back to the law, and prove it offline."""

import shlex
import subprocess
import sys
from pathlib import Path

from services.cli.main_job.offices import MainJobFailed, Offices
from services.cli.main_job.report import Report, doudi_as_typed
from services.cli.main_job.story import Story

VERIFY_SECONDS = 30


def audit_a_payment(offices: Offices, report: Report, story: Story) -> None:
    """List a month's payments, open the first, fetch its proof and let the offline verifier check it."""
    man = story.household("dongchuan_man")
    query = {"month": story.days[1].paid_in[0], "region": man.region, "programme": man.programme, "state": "SETTLED"}
    line = offices.get("auditor", "/payments/v1/disbursements", **query)["data"][0]
    opened = offices.get("auditor", f"/payments/v1/disbursements/{line['id']}")
    determination = opened["award"]["determination_id"]
    offices.get("auditor", f"/eligibility/v1/determinations/{determination}")
    folder = offices.data_dir / "proofs"
    folder.mkdir(exist_ok=True, mode=0o700)
    proof, leaf = folder / f"{line['id']}.tlog-proof", folder / f"{line['id']}.json"
    path = f"/payments/v1/disbursements/{line['id']}"
    proof.write_bytes(offices.until("proof", lambda: offices.get_bytes("auditor", f"{path}/proof")))
    leaf.write_bytes(offices.until("leaf", lambda: offices.get_bytes("auditor", f"{path}/leaf")))
    _verify(offices, proof, leaf)
    files = f"{shlex.quote(str(proof))} --leaf {shlex.quote(str(leaf))}"
    report.facts["证明 proof"] = f"{doudi_as_typed(offices)} verify proof {files} --key '{_verifier_key(offices)}'"
    report.step(
        f"审计：{line['amount']} 元 → {determination} → {opened['award']['rule']} → 法条；离线验证通过",
        f"the auditor opens {line['amount']} back to {opened['award']['rule']} and its law, and verifies it offline",
    )


def _verify(offices: Offices, proof: Path, leaf: Path) -> None:
    arguments = ["proof", str(proof), "--leaf", str(leaf), "--key", _verifier_key(offices)]
    checked = subprocess.run(
        [sys.executable, "-m", "verifier.doudi_verify", *arguments],
        capture_output=True,
        text=True,
        timeout=VERIFY_SECONDS,
        check=False,
    )
    if checked.returncode != 0:
        raise MainJobFailed(f"证明未通过 / the proof does not verify: {checked.stdout}{checked.stderr}")


def _verifier_key(offices: Offices) -> str:
    """The public key of payments' log; an auditor compares it once with what the operator gave on paper."""
    return offices.get_bytes("auditor", "/payments/v1/log/key").decode().strip()
