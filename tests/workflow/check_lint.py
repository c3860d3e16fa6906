"""Runs ``snakemake --lint`` and fails on anything but the one message that we leave.

That message asks for a conda environment or container per rule; the environment of this
workflow is the virtual environment that the Makefile makes.
"""

import subprocess
import sys

LEFT = "    * Specify a conda environment or container for each rule.:"


def main() -> int:
    linted = subprocess.run(["snakemake", "--lint"], capture_output=True, text=True, check=False)
    lines = linted.stderr.splitlines()
    others = [line for line in lines if line.startswith("    * ") and line != LEFT]
    if others or LEFT not in lines:
        sys.stderr.write(linted.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
