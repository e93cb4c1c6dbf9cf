"""What users hold in Python: load weights once, then generate."""
