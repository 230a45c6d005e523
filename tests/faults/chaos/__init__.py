"""Two replicas, four agents and 200 servers while processes are killed and stopped at random."""
