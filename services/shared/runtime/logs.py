"""Logs: one JSON object a line, and only keys of a written list, so that personal data has no way in."""

import logging
import re
import sys
import traceback
from pathlib import Path

import structlog
from structlog.typing import EventDict, WrappedLogger

# fmt: off
ALLOWED_KEYS = frozenset({
    "event", "level", "timestamp", "logger", "service", "process", "error_type",
    "where", "request_id", "method", "route", "status", "duration_ms", "caller",
    "job", "job_id", "tries", "message_id",
    "kind", "entity", "entity_id", "count", "size", "code", "peer", "port", "signal", "pid", "schema",
})
# fmt: on
LONG_DIGITS = re.compile(r"\d{11,}[\dXx]?")
"""Any run as long as a phone, card or ID number is masked wherever it stands."""
LARGEST_NUMBER = 9_999_999_999
"""A number with more digits than this is masked as text would be."""
MASK = "…"
MAX_VALUE_LENGTH = 300


def configure_logs(service: str, process: str, level: str = "INFO") -> None:
    """Send this process's logs to standard output as JSON lines; other libraries' too, from WARNING on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed_keys,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, process=process)
    logging.basicConfig(handlers=[_ThroughStructlog()], level=logging.WARNING, force=True)
    for chatty in ("httpx", "httpcore", "pgqueuer", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """A logger whose keys are ALLOWED_KEYS; any other key is dropped."""
    return structlog.get_logger()


def keep_allowed_keys(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop every key that is not on the list, cut long text and mask long digit runs."""
    return {key: _harmless(value) for key, value in event.items() if key in ALLOWED_KEYS}


def where_raised(error: BaseException) -> str:
    """The last place of our own code that `error` went through, as folder/file:line; it holds no data, unlike the
    message, and says where to look."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [(name, line) for name, line in frames if "site-packages" not in name] or frames
    return "/".join(Path(ours[-1][0]).parts[-2:]) + f":{ours[-1][1]}" if ours else ""


class _ThroughStructlog(logging.Handler):
    """Hands the standard library's records on; a record's arguments and traceback may hold data, so they stay out."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        # asyncio writes the failed task, its exception's message included, from the second line on.
        text = record.msg.partition("\n")[0] if isinstance(record.msg, str) else _name_of(record.msg)
        get_logger().log(record.levelno, text, logger=record.name, error_type=error)


def _name_of(message: object) -> str:
    # The system's own words for a taken port or a full disk; another error's may hold data.
    reason = message.strerror if isinstance(message, OSError) else None
    return f"{type(message).__name__}: {reason}" if reason else type(message).__name__


def _harmless(value: object) -> object:
    if isinstance(value, str):
        return LONG_DIGITS.sub(MASK, value)[:MAX_VALUE_LENGTH]
    if not isinstance(value, int | float | None):
        return type(value).__name__
    return MASK if value is not None and abs(value) > LARGEST_NUMBER else value
