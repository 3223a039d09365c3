#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine {

// A penalty λ·log det(I + H Hᵀ/offset) on the volume that the rows of H span:
// docs/math/min-volume-nmf.md.
struct VolumeOptions {
  double share;   // of the start's loss that the penalty of the start has
  double offset;  // of the scaled H Hᵀ, above 0
};

// λ for a start of this loss and log-volume.
double volume_weight(const VolumeOptions& options, double loss, double log_volume);
// log det(I + G/offset) for a Gram matrix G [k×k].
double log_volume(const std::vector<double>& gram, Index k, double offset);
// Adds λ·(G + offset·I)⁻¹ [k×k], the slope of the penalty with respect to G, to `to`. The penalty
// is concave in G: it is nowhere above its tangent.
void add_volume_slope(const std::vector<double>& gram, Index k, double offset, double weight,
                      std::vector<double>& to);

}  // namespace gemmine
