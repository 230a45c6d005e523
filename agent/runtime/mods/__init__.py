"""Mods on this host: placed beside, swapped in by rename, proved by the game, and taken back when it refuses them."""
