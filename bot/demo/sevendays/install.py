"""Puts the imitation into a server's directory under the name of the game's own executable."""

import shlex
import sys
from pathlib import Path

from bot.demo.sevendays import serverconfig

EXECUTABLE = "7DaysToDieServer.x86_64"
HARMONY = """<?xml version="1.0" encoding="UTF-8"?>
<xml>
\t<Name value="TFP_Harmony"/>
\t<Version value="1.1.0.4"/>
</xml>
"""
SHEBANG_LIMIT = 120  # older kernels cut a first line after 127 bytes
_PROGRAM = '''
"""Runs the imitated server; the first argument is the program, the current directory the server's."""
import sys

sys.path.append({root!r})
from bot.demo.sevendays.main import main

sys.exit(main(sys.argv[1:]))
'''


def install(directory: Path) -> Path:
    """Make `directory` a server's and return its executable. Other files that are there already are kept."""
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "serverconfig.xml"
    if not config.exists():
        config.write_text(serverconfig.default_text(directory), "utf-8")
    harmony = directory / "Mods/0_TFP_Harmony/ModInfo.xml"
    if not harmony.exists():
        harmony.parent.mkdir(parents=True, exist_ok=True)
        harmony.write_text(HARMONY, "utf-8")
    return _executable(directory / EXECUTABLE)


def _executable(path: Path) -> Path:
    """Write beside and move: a server that runs keeps the file that it was started from."""
    root = Path(__file__).resolve().parents[3]
    fresh = path.with_suffix(".new")
    fresh.write_text(_first_line(sys.executable) + _PROGRAM.format(root=str(root)), "utf-8")
    fresh.chmod(0o755)
    return fresh.replace(path)


def _first_line(interpreter: str) -> str:
    """`exec` keeps the process. A path too long or with spaces goes through the shell, to which a text is a command."""
    if len(interpreter) <= SHEBANG_LIMIT and not any(char.isspace() for char in interpreter):
        return f"#!{interpreter} -IS\n"
    return f"#!/bin/sh\n'''exec' {shlex.quote(interpreter)} -IS \"$0\" \"$@\"\n' '''\n"
