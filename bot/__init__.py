"""Gamekeeper: the Discord bot, its HTTP side and its workers."""
