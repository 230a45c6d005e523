"""Game processes on this host: keepers, what they keep, and the servers made of them."""
