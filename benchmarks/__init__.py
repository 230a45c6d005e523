"""What it costs, beside a baseline that is measured in the same run. `python -m benchmarks ack|dispatch|start|all`."""
