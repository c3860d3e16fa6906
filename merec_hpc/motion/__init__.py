"""What moves in a clip: optical flow between registered frames, strain, the apex."""
