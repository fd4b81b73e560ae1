"""The page that a comparison is published as."""
