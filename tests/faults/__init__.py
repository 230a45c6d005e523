"""Processes are killed, frozen and cut off; nothing that was acknowledged is lost, nothing happens twice."""
