#define GEMMINE_KERNELS avx2_kernels
#define GEMMINE_FEATURES "avx2 fma"
#include "backend/cpu/kernels.inl"
