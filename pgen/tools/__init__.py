"""Scripts that derive bundled files; nothing imports them."""
