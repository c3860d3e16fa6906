"""The island-model genetic algorithm of paper 1, one operator a module."""
