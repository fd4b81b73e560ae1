"""What the model knows of the world in a month."""
