"""Scores of generated pictures, each under the name of its protocol."""
