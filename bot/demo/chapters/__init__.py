"""The parts of the tour's evening, one file each: what people do, and what the games' own logs say about it."""
