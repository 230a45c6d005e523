"""The HTTP side: host agents and health checks."""

from bot.http.app import build_health, build_web

__all__ = ["build_health", "build_web"]
