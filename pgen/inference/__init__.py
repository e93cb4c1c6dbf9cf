"""What users hold in Python: networks loaded once, people, and the pictures made of them."""
