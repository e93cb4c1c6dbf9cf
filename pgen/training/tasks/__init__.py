"""What each training samples, its losses and its validation."""
