#!/usr/bin/env bash
# Install SLURM from Debian's packages, if it is missing; nothing is started.
set -euo pipefail
missing=()
for command in slurmctld:slurmctld slurmd:slurmd squeue:slurm-client munged:munge; do
    command -v "${command%%:*}" >/dev/null || missing+=("${command##*:}")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "tests of the cluster need ${missing[*]}: root and Debian's packages expected" >&2
    exit 1
fi
# Daemons are started by the tests alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
