"""One module for each dataset as it was released: its folder becomes a listing."""
