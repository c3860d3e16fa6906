"""Runs the command line as ``python -m merec_hpc``."""

from merec_hpc.cli import main

if __name__ == "__main__":
    main()
