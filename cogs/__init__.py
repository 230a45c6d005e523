"""One file per top-level slash command group; a command is a sentence."""
