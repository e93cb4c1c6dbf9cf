"""What estimates poses and parsing maps of photos that come without."""
