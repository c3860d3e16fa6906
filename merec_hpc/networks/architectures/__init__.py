"""Architectures that torchvision does not have; torch is imported with them."""
