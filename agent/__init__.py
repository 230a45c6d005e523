"""The host agent: does the work on the machine where the games run."""

__version__ = "0.1.0"
