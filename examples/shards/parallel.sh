#!/bin/sh
# Mines the parts of a job side by side with GNU parallel, and merges them.
#   parallel.sh PARTS OUT [options of gemmine mine]
# JOBS parts run at a time (2 unless set); give --threads, so that they share the cores.
set -eu
parts=$1 out=$2
shift 2
here=$(dirname "$0")
folder=$out.parts
seq 0 $((parts - 1)) |
  parallel --quote --jobs "${JOBS:-2}" --retries 3 --halt soon,fail=1 \
    sh "$here/mine-part.sh" {} "$parts" "$folder" "$@"
set --
for index in $(seq 0 $((parts - 1))); do set -- "$@" "$folder/part$index"; done
gemmine merge "$@" --out "$out"
