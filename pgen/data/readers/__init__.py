"""Data sets on disk: what is in their folders, and which annotations belong to which photo."""
