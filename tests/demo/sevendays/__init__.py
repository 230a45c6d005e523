"""The imitated game server, seen from its console, its log, its files and its process."""
