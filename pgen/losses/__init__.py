"""The losses, each in a file that reads like its equation."""
