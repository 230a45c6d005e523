"""A small Discord over a real wire, and the real bot as a process that is connected to it."""
