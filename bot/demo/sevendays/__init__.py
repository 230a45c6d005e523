"""A stand-alone imitation of the 7 Days to Die dedicated server: telnet console, log, files and process behaviour.

It runs as a process of its own on the standard library alone, so that an agent treats it as it would the real game.
"""

from bot.demo.sevendays.install import install

__all__ = ["install"]
