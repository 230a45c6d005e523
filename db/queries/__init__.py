"""Every statement, by noun: plain functions on an open session."""
