"""What firms and importers do, one file an actor or a decision; the month calls it."""
