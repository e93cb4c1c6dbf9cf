"""Pseudo labels for H_S: for every parsing map, maps of other people in the same kind of clothes."""
