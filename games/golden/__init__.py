"""Checking a template: it is valid, and what real games said is understood as its golden cases say."""

from games.golden.check import check_template

__all__ = ["check_template"]
