"""`gamekeeper demo` and `gamekeeper tour`, as the command line calls them."""

import asyncio
import contextlib
import importlib.util
import logging
from pathlib import Path
from typing import Final

from bot.config import Settings
from bot.errors import Unavailable

LOG: Final = "demo.log"


def demo(settings: Settings, port: int) -> None:
    """Serve the playground until Ctrl-C or SIGTERM, then end everything that it started.

    Raises:
        AppError: it cannot be started, with a sentence.
    """
    log = _prepare(settings.data_dir)
    from bot.demo.browser import show

    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(show(settings.data_dir, port, log))


def tour(settings: Settings) -> int:
    """Print the tour; the exit code.

    Raises:
        AppError: it cannot be started, with a sentence.
    """
    _prepare(settings.data_dir)
    from bot.demo.tour import tour as tell

    return asyncio.run(tell(settings.data_dir, lambda line: print(line, flush=True)))


def _prepare(data_dir: Path) -> Path:
    """Check that the extra is installed and turn the log to a file: the terminal is for what people should read."""
    if importlib.util.find_spec("simcord") is None:
        raise Unavailable("The playground is not installed.", "Install it: pip install 'gamekeeper[demo]'")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / LOG).open("a").close()
    except OSError as error:
        raise Unavailable(
            f"{data_dir} cannot be used: {error.strerror}.", "Set GAMEKEEPER_DATA_DIR to a directory of your own."
        ) from error
    form = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    logging.basicConfig(filename=data_dir / LOG, filemode="w", level=logging.INFO, format=form, force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    return data_dir / LOG
