"""What runs without a user: ticks, and the sending of what the outbox owes."""
