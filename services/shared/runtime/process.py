"""How `python -m services.<name>` runs: serve or worker, ended with its parent, refused in one line."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI

from services.shared.runtime.database import DatabaseUnavailable
from services.shared.runtime.environment import Configuration, StartRefused
from services.shared.runtime.logs import configure_logs, get_logger, where_raised
from services.shared.runtime.parent import exit_with_parent
from services.shared.runtime.service_app import Runtime

SHUTDOWN_SECONDS = 10
USAGE = "用法 / usage: python -m services.{name} serve [--workers N] | worker"
MAX_PROCESSES = 64


def run_process(
    name: str,
    arguments: Sequence[str],
    configuration: Callable[[], Configuration[Any]],
    create_runtime: Callable[[Configuration[Any]], Runtime],
    create_app: Callable[[Configuration[Any]], FastAPI],
    work: Callable[[Runtime], None],
) -> int:
    """Run `serve` or `worker` for the service `name`; returns the exit code."""
    processes = _processes(arguments)
    if processes is None:
        sys.stderr.write(USAGE.format(name=name) + "\n")
        return 2
    try:
        settings = configuration()
        configure_logs(name, arguments[0], settings.common.log_level)
        exit_with_parent()
        if arguments[0] == "worker":
            work(create_runtime(settings))
        else:
            _serve(name, settings, processes, create_app)
    except StartRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    except DatabaseUnavailable:
        sys.stderr.write(
            f"{name}: 数据库不可用，请先 doudi migrate / the database is away: doudi migrate, doudi doctor\n"
        )
        return 1
    except Exception as error:
        # A database lost on the way, for one: the supervisor starts the process again. The message may hold data.
        kind, where = type(error).__name__, where_raised(error)
        get_logger().error(f"{arguments[0]} ended", error_type=kind, where=where)
        return 1
    return 0


def default_app(
    name: str, configuration: Callable[[], Configuration[Any]], create_app: Callable[[Configuration[Any]], FastAPI]
) -> FastAPI:
    """The service on this process's settings: uvicorn's factory, called once in each serving process."""
    settings = configuration()
    configure_logs(name, "serve", settings.common.log_level)
    return create_app(settings)


def _serve(
    name: str, settings: Configuration[Any], processes: int, create_app: Callable[[Configuration[Any]], FastAPI]
) -> None:
    # Made here even when uvicorn makes one in each of its processes: what may not start is refused before them.
    app = create_app(settings)
    options = {"app": app} if processes == 1 else {"app": f"services.{name}.app:create_default_app", "factory": True}
    uvicorn.run(
        **options,
        host=settings.common.host,
        port=settings.own.port,
        workers=processes,
        loop="uvloop" if sys.platform != "win32" else "auto",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _processes(arguments: Sequence[str]) -> int | None:
    """How many serving processes are asked for; None when the arguments make no sense."""
    match list(arguments):
        case ["worker"] | ["serve"]:
            return 1
        case ["serve", "--workers", number] if number.isdigit() and 0 < int(number) <= MAX_PROCESSES:
            return int(number)
    return None
