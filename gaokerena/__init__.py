"""Ask two Persian medical models, hold what they answered, measure it."""

__version__ = "0.1.0"
