"""What a game is, as data, and how its console talks. Knows nothing of the rest of the project."""
