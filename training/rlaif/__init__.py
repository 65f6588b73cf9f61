"""Preferences with a model's help: correction by a teacher (A), self-correction (B), a measured judge."""
