"""HDF5 files, and the only place where they are opened."""
