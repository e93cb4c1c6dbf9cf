"""Losses, the three stages, the loop, checkpoints."""
