"""What is due, what agents expect to be due, and what may be delivered."""
