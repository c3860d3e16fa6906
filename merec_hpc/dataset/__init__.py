"""What was filmed: clips, subjects, labels. No pixels yet, but for the simulated dataset."""
