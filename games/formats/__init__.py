"""Formats of configuration files: text in, text out, nothing read or written by these modules."""
