"""Files that are complete where they have a name, and rows in them."""
