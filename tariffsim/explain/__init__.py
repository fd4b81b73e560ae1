"""Why an agent did what it did, read from an economy that has seen the month."""
