"""Annotated and drawn faces, to train a shape model on."""
