"""Supervised learning shared by selection and evaluation."""
