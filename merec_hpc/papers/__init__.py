"""The papers' own tables and protocols."""
