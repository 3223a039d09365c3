#!/bin/bash
# Everything a GPU is wanted for, in one call; the limits of its steps add up to less than 8 minutes.
#   scripts/gpu-check.sh FOLDER
# FOLDER has the programs of test/native and gemmine_cuda.so, as a build leaves them in build/cmake. Needs no Node
# and no network. cuBLAS is looked for inside PyTorch's packages, then where the system has it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
programs=${1:?folder of the programs}
out=${OUT:-$programs/gpu-check}
mkdir -p "$out"
log=$out/log.txt
: >"$log"
failed=0
summary=()

# name, seconds, command ...
step() {
  local name=$1 limit=$2 start=$SECONDS status verdict
  shift 2
  echo "== $name" >>"$log"
  timeout -k 5 "$limit" "$@" >"$out/step.txt" 2>&1
  status=$?
  cat "$out/step.txt" >>"$log"
  case $status in
    0) verdict=ok ;;
    124 | 137) verdict=TIMEOUT failed=1 ;;
    *) verdict="FAILED $status" failed=1 ;;
  esac
  grep -q '^skipped: no CUDA device' "$out/step.txt" && verdict=skipped
  summary+=("$(printf '%-34s %-10s %3d s  %s' "$name" "$verdict" $((SECONDS - start)) "$(tail -n 1 "$out/step.txt" | cut -c1-150)")")
}

not_run() { summary+=("$(printf '%-34s not run           %s' "$1" "$2")"); }

cublas=$(python3 -c "
import glob, sysconfig
folders = glob.glob(sysconfig.get_paths()['purelib'] + '/nvidia/*/lib')
print(':'.join(f for f in folders if glob.glob(f + '/libcublas.so.1[23]')))" 2>/dev/null)
[ -n "$cublas" ] && export GEMMINE_CUBLAS=$cublas${GEMMINE_CUBLAS:+:$GEMMINE_CUBLAS}
sidecar=$(find "$programs" -name gemmine_cuda.so | head -n 1)
[ -n "$sidecar" ] && export GEMMINE_CUDA_BACKEND=$sidecar
export GEMMINE_TEST_DEVICE=${GEMMINE_TEST_DEVICE:-cuda:0}

if command -v nvidia-smi >/dev/null; then
  step 'device' 10 nvidia-smi --query-gpu=name,driver_version,memory.total,compute_mode --format=csv,noheader
else
  not_run 'device' 'no nvidia-smi'
fi
# Kernels against plain loops first: nothing below means anything if they differ.
step 'kernels of scans' 20 "$programs/cuda_scan_kernels_suite"
step 'kernels of epilogues' 20 "$programs/cuda_epilogue_kernels_suite"
# The suites that also run on the CPU; ids, scores and counts bit for bit the CPU's.
for suite in scans column_top epilogues row_filter near_duplicates mining; do
  step "suite $suite" 20 "$programs/${suite}_suite"
done
# Those of the passes; cuda_kernels, cuda_entry_kernels and cuda_row_kernels run on the emulation alone.
for suite in backend factor_operations steps labels divergence own_normals krylov row_range addend; do
  step "suite $suite" 15 "$programs/${suite}_suite"
done
step 'same bits 20 times, aborts, memory' 20 "$programs/cuda_scan_hazards_suite"
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck initcheck; do
    step "compute-sanitizer $tool" 12 compute-sanitizer --tool $tool --error-exitcode 9 "$programs/cuda_scan_kernels_suite"
  done
else
  not_run 'compute-sanitizer' 'not installed here'
fi
step 'bench of exact top k' 60 "$programs/cuda_scan_bench"
grep -h '^{' "$out/step.txt" >"$out/bench.json"
if python3 -c 'import torch' 2>/dev/null; then
  step 'PyTorch on the same sizes' 40 python3 "$here/gpu-rival.py"
  grep -h '^{' "$out/step.txt" >>"$out/bench.json"
else
  not_run 'PyTorch on the same sizes' 'no PyTorch here'
fi
printf '%s\n' "${summary[@]}" | tee "$out/summary.txt"
[ $failed = 0 ] && echo 'gpu-check: nothing failed' || echo 'gpu-check: FAILED'
exit $failed
