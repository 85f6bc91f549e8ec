"""The schedule by which every service seals its log and signs the newest checkpoint."""

from services.shared.runtime import audit
from services.shared.runtime.jobs import Schedule
from services.shared.runtime.service_app import Runtime

EVERY_TWO_SECONDS = "* * * * * */2"


def sealing_schedule(runtime: Runtime) -> Schedule:
    """Seal what waits, a bounded number of events a transaction, then sign the tree as it stands."""
    return Schedule(EVERY_TWO_SECONDS, lambda: seal_log(runtime))


def seal_log(runtime: Runtime) -> None:
    """The schedule's work, once."""
    database, tables = runtime.database, runtime.tables
    while database.transact(audit.seal, tables):
        pass
    database.transact(audit.sign_checkpoint, tables, runtime.log_origin, runtime.log_key, runtime.now())
