"""What is on disk: readers of each format, the HDF5 store, pseudo labels, torch Datasets, weights files."""
