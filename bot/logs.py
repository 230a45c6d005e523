"""Log lines, as text for people or as JSON for collectors, each with the correlation id of what it belongs to."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

#: The reference of the interaction, request or tick that is being handled; serves log lines only.
correlation: ContextVar[str] = ContextVar("correlation", default="")


class _Correlated(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation = correlation.get() or "-"
        return True


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "correlationId": getattr(record, "correlation", "-"),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(form: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Sends every log line of the process to stderr in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Correlated())
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s [%(correlation)s] %(message)s")
    handler.setFormatter(_Json() if form == "json" else text)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("discord", "aiohttp.access", "apscheduler"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
