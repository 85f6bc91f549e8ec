"""`doudi verify`: the same file that an auditor may carry away and run alone."""

import typer

from verifier import doudi_verify


def verify(context: typer.Context) -> None:
    """Check a checkpoint, an inclusion proof or a consistency proof offline."""
    raise SystemExit(doudi_verify.main(context.args))


verify.takes_all_arguments = True  # type: ignore[attr-defined]  # the verifier has its own options and help
