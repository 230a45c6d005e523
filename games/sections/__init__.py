"""The sections of a template, as games.md orders them: process, console, people, actions, log."""
