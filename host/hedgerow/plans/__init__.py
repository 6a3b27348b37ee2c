"""What to do, as values, and the one executor that does it."""
