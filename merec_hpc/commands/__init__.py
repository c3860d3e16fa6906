"""One module per rule: read, call the library, write."""
