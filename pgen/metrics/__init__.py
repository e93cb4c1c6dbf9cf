"""Scores of results, each registered in a file of its own."""
