#!/bin/sh
# Submits the parts of a job as a Slurm array, and their merge, which starts when all of them are done.
#   slurm.sh PARTS OUT [options of gemmine mine]
# Run it on the login node; OUT and the inputs are on a file system that all nodes share. Options of
# sbatch (account, partition, --cpus-per-task) go into SBATCH_OPTIONS.
set -eu
parts=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
folder=$out.parts
mkdir -p "$folder"

# A part that Slurm puts back in its queue (a lost node, a preemption) resumes from its checkpoint.
cat >"$folder/part.sbatch" <<'SCRIPT'
#!/bin/sh
here=$1 parts=$2 folder=$3
shift 3
exec sh "$here/mine-part.sh" "$SLURM_ARRAY_TASK_ID" "$parts" "$folder" \
  --threads "${SLURM_CPUS_PER_TASK:-1}" "$@"
SCRIPT
cat >"$folder/merge.sbatch" <<'SCRIPT'
#!/bin/sh
parts=$1 folder=$2 out=$3
set --
for index in $(seq 0 $((parts - 1))); do set -- "$@" "$folder/part$index"; done
exec gemmine merge "$@" --out "$out"
SCRIPT

# shellcheck disable=SC2086
array=$(sbatch --parsable ${SBATCH_OPTIONS:-} --requeue --array="0-$((parts - 1))" \
  --output="$folder/part%a.log" "$folder/part.sbatch" "$here" "$parts" "$folder" "$@")
# shellcheck disable=SC2086
merge=$(sbatch --parsable ${SBATCH_OPTIONS:-} --dependency="afterok:$array" \
  --output="$folder/merge.log" "$folder/merge.sbatch" "$parts" "$folder" "$out")
echo "parts: job $array, merge: job $merge"
