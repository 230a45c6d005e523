"""One file per step, named by its date."""
