"""`doudi retry`: sends parked messages and held jobs on their way again, once a person has seen to the cause."""

from typing import Annotated

import typer
from sqlalchemy import MetaData

from services.cli.migrate import data_dir
from services.cli.output import console, print_json, refuse
from services.cli.provision import SERVICES, read_environment_file
from services.shared.runtime import jobs, outbox
from services.shared.runtime.database import Database, DatabaseUnavailable
from services.shared.runtime.tables import RuntimeTables


def retry(as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False) -> None:
    """Send what waits for a person on its way again: parked messages and held jobs of the three services."""
    environment = read_environment_file(data_dir())
    try:
        counts = {
            service: _again(service, environment[f"DOUDI_{service.upper()}_DATABASE_URL"]) for service in SERVICES
        }
    except (KeyError, DatabaseUnavailable):
        refuse("数据库不可用，见 doudi doctor / the database is away: see doudi doctor")
    if as_json:
        print_json(counts)
        return
    for service, (messages, held) in counts.items():
        console.print(
            f"{service}: {messages} 条消息、{held} 个任务重新处理 / {messages} messages and {held} jobs again"
        )


def _again(service: str, url: str) -> tuple[int, int]:
    database, tables = Database(url, service), RuntimeTables(MetaData(schema=service))
    try:
        messages = database.transact(outbox.send_parked_again, tables, service)
        return messages, database.transact(jobs.queue_held_again, tables, service)
    finally:
        database.close()
