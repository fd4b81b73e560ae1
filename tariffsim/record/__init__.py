"""What is kept of a run, and the tables and measures made of it."""
