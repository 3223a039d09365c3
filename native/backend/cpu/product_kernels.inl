// Part of kernels.inl.

// ---- Products C = A·B with A read in place and B in panels. A register tile holds `height` rows
// of C by `width` vectors; a slab of a panel stays in cache for all rows.

#if defined(__AVX512F__)
constexpr int widest = 4;                     // 24 sums, 4 vectors of B, 1 entry of A: 32 registers
constexpr int heights[] = {0, 12, 12, 8, 6};  // by width
#else
constexpr int widest = 2;  // 12 sums, 2 vectors of B, 1 entry of A: 16 registers
constexpr int heights[] = {0, 10, 6};
#endif
constexpr Index panel_width = widest * lanes;
static_assert(widest_panel % panel_width == 0);
constexpr Index slab_depth = 384;

template <int width>
struct Width {};

// Calls body with the number of vectors that the columns from j on fill in their panel.
template <class Body>
inline void with_width(Index cols, Index j, Body body) {
  const Index vectors = (cols - j + lanes - 1) / lanes;
  if (vectors == 1) return body(Width<1>());
#if defined(__AVX512F__)
  if (vectors == 3) return body(Width<3>());
  if (vectors >= 4) return body(Width<4>());
#endif
  body(Width<2>());
}

// The term of one entry of A and one vector of B in a sum of C.
struct Product {
  static Lanes add(Lanes sum, Lanes a, Lanes b) { return add_product(sum, a, b); }
};
// B − A, so that the subtraction can take the entry of A from memory: 1.7 times as fast as A − B.
struct SquaredDifference {
  static Lanes add(Lanes sum, Lanes a, Lanes b) { return add_product(sum, b - a, b - a); }
};

// Floats from one row of a panel of B [depth×cols] to the next.
inline Index row_of_panel(Index cols) {
  return cols < panel_width ? (cols + lanes - 1) / lanes * lanes : panel_width;
}

struct Slab {
  const float* panel;  // [depth][row]
  Index depth;
  Index row;
  bool add;
};

template <class Term, int height, int width>
inline void multiply_tile(const LeftOperand& A, const float* a, const Slab& slab, float* c,
                          Index stride) {
  Lanes sums[height][width];
  for (int i = 0; i < height; ++i)
    for (int v = 0; v < width; ++v)
      sums[i][v] = slab.add ? load(c + i * stride + v * lanes) : Lanes{};
  const float* b = slab.panel;
  for (Index t = 0; t < slab.depth; ++t) {
    Lanes right[width];
    for (int v = 0; v < width; ++v) right[v] = load(b + v * lanes);
    for (int i = 0; i < height; ++i) {
      const Lanes left = all(a[i * A.row_step]);
      for (int v = 0; v < width; ++v) sums[i][v] = Term::add(sums[i][v], left, right[v]);
    }
    a += A.depth_step;
    b += slab.row;
  }
  for (int i = 0; i < height; ++i)
    for (int v = 0; v < width; ++v) store(sums[i][v], c + i * stride + v * lanes);
}

template <class Term, int width>
void multiply_slab(const LeftOperand& A, const float* a, const Slab& slab, float* c, Index stride) {
  constexpr int height = heights[width];
  Index i = 0;
  for (; i + height <= A.rows; i += height)
    multiply_tile<Term, height, width>(A, a + i * A.row_step, slab, c + i * stride, stride);
  for (; i + height / 2 <= A.rows; i += height / 2)
    multiply_tile<Term, height / 2, width>(A, a + i * A.row_step, slab, c + i * stride, stride);
  for (; i < A.rows; ++i)
    multiply_tile<Term, 1, width>(A, a + i * A.row_step, slab, c + i * stride, stride);
}

template <class Term>
void combine_panels(const LeftOperand& A, const float* panels, HostView<float> C, bool add) {
  const Index row = row_of_panel(C.cols);
  for (Index t = 0; t < A.depth; t += slab_depth)
    for (Index j = 0; j < C.cols; j += panel_width) {
      const Slab slab = {panels + j * A.depth + t * row,
                         A.depth - t < slab_depth ? A.depth - t : slab_depth, row, add || t > 0};
      const float* a = A.data + t * A.depth_step;
      with_width(C.cols, j, [&]<int width>(Width<width>) {
        multiply_slab<Term, width>(A, a, slab, C.data + j, C.stride);
      });
    }
}

void multiply_panels(const LeftOperand& A, const float* panels, HostView<float> C, bool add) {
  combine_panels<Product>(A, panels, C, add);
}

void distance_panels(const LeftOperand& A, const float* panels, HostView<float> C) {
  combine_panels<SquaredDifference>(A, panels, C, false);
}
