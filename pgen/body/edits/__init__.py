"""Edits of parsing maps: sleeves, what is worn below, neckline, hair."""
