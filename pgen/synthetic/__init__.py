"""Synthetic people: compact body, wardrobe, renderer."""
