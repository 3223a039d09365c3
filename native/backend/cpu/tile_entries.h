#pragma once

#include "backend/cpu/group_pass.h"

namespace gemmine::cpu {

// The rows of X in a tile, in the form that ratio steps need. They stay sparse if only stored
// entries matter; otherwise the tile is made dense, never the whole of X.
struct TileEntries {
  bool sparse;
  HostView<float> x;     // [t×d], scaled; dense
  HostView<float> seen;  // [t×d]; data is null if all entries count
  SparseRows rows;       // scaled; sparse; indptr begins with 0
  Index begin;
  Index count;
};

// How the rows of X are read for one group.
struct EntryReading {
  const Kernels& kernels;
  const Mask& mask;
  const Noise& noise;
  double scale;    // 2^-exponent
  Index padded_d;  // stride of dense tiles
  bool sparse;
};

// In the memory of the workspace, until the next call.
TileEntries read_tile(const EntryReading& how, const RowBlock& rows, Index d, Workspace& workspace);

}  // namespace gemmine::cpu
