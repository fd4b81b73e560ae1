"""tariffsim: an agent-based model of tariffs on foundational chips and goods that contain them."""

__version__ = "0.1.0"
