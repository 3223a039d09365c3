#!/bin/sh
# Mines one part of a job, or the rest of it after an interruption. Every launcher here runs it.
#   mine-part.sh INDEX PARTS FOLDER [options of gemmine mine]
# FOLDER gets part INDEX (from 0) of PARTS, and its checkpoint; all parts need the same options.
set -eu
index=$1 parts=$2 folder=$3
shift 3
mkdir -p "$folder"
part=$folder/part$index
checkpoint=$folder/part$index.safetensors
if [ -e "$part/summary.json" ]; then exit 0; fi
if [ -e "$checkpoint" ]; then set -- "$@" --resume "$checkpoint"; fi
exec gemmine mine "$@" --shard "$index/$parts" --checkpoint "$checkpoint" --out "$part"
