"""A page in the browser to see, drag and paint what the networks are given, and to look at what they make."""
