"""What Python users work with: the networks, loaded once, people as data, and the pictures made of them."""
