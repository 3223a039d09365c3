#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/cpu/group_pass.h"
#include "backend/cpu/kernels.h"
#include "backend/passes.h"

namespace gemmine::cpu {

// Operations on whole factors, in parallel over fixed blocks of rows; see Passes.

void improve_blocks(const Kernels& kernels, const Step& step, HostView<const float> cross,
                    const NormalMatrix& normal, HostView<float> factor, const Job& job);
// Improves Ht for the cross product S + Ht·diag(pull), S [d×k].
void improve_from_sums(const Kernels& kernels, const Step& step, const std::vector<double>& S,
                       const NormalMatrix& normal, std::span<const double> pull, HostView<float> Ht,
                       const Job& job);
// See Passes.
void improve_by_own_normals(const Kernels& kernels, const Step& step, std::span<const double> cross,
                            std::span<const double> normals, double pull, HostView<float> Ht,
                            const Job& job);
double own_curvature(const CpuSums& sums, HostView<const float> Ht, const Job& job);
// Improves Ht from the numerators and denominators of a divergence.
void improve_by_ratio(const Kernels& kernels, const Step& step, const CpuSums& sums,
                      HostView<float> Ht, const Job& job);

std::vector<double> gram(HostView<const float> factor, const Job& job);
std::vector<double> cross_gram(HostView<const float> A, HostView<const float> B, const Job& job);
std::vector<double> weighted_gram(HostView<const float> factor, std::span<const float> weights,
                                  const Job& job);
// Adds the upper triangle of factorᵀ·diag(weights)·factor.
void add_weighted_gram(HostView<const float> factor, std::span<const float> weights,
                       std::vector<double>& sums);
double inner(const std::vector<double>& S, HostView<const float> Ht, const Job& job);
double energy(const RowAddend& addend, HostView<const float> W, const Job& job);
// P [b×k] += weight·numerators of the rows from `begin` on; row_diagonal = their weight·diagonal.
void add_rows(const RowAddend& addend, Index begin, HostView<float> P,
              std::vector<float>& row_diagonal);
ColumnSums column_sums(HostView<const float> factor, const Job& job);
ColumnParts column_parts(HostView<const float> factor, const Job& job);
ColumnRatios ratios_to_first(HostView<const float> factor, const Job& job);
void add_first(std::span<const double> shares, double scale, HostView<float> factor,
               const Job& job);
void lift_rows(double scale, double least, HostView<float> factor, const Job& job);
void clamp(float least, float most, HostView<float> factor, const Job& job);
void scale_columns(std::span<const double> by, HostView<float> factor, const Job& job);
void keep_largest(Index count, HostView<float> factor, const Job& job);
void multiply(HostView<const float> A, HostView<const double> B, HostView<float> to,
              const Job& job);
void gather_rows(HostView<const float> from, std::span<const Index> rows, HostView<float> to,
                 const Job& job);
void indicate(std::span<const std::int32_t> labels, float rest, HostView<float> factor,
              const Job& job);
void shift(double value, HostView<float> factor, const Job& job);
void extrapolate(const Extrapolated& by, HostView<float> factor, const Job& job);
// Runs on the calling thread.
void extrapolate_rows(const Extrapolated& by, HostView<float> factor);
void raise_small(float smallest, const Draws& draws, HostView<float> factor, const Job& job);
void fill_random(const Draws& draws, HostView<float> factor, const Job& job);

}  // namespace gemmine::cpu
