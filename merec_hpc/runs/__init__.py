"""What a run consists of: its variants and jobs, what they cost, and how far they are."""
