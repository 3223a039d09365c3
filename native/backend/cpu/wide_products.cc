#include "backend/cpu/wide_products.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/row_blocks.h"
#include "core/linear_algebra.h"
#include "core/pool.h"
#include "core/row_reader.h"

namespace gemmine::cpu {
namespace {

constexpr Index rows_at_once = 96;

// Memory of one thread.
struct Workspace {
  RowScratch rows;
  std::vector<double> widened;  // X [block×d]; dense X only
  std::vector<double> product;  // [block×c]
};

void multiply_dense(HostView<const float> X, HostView<const double> B, Workspace& workspace) {
  workspace.widened.clear();
  for (Index i = 0; i < X.rows; ++i)
    workspace.widened.insert(workspace.widened.end(), X.row(i), X.row(i) + X.cols);
  multiply(HostView<const double>{workspace.widened.data(), X.rows, X.cols, X.cols}, B,
           HostView<double>{workspace.product.data(), X.rows, B.cols, B.cols});
}

void multiply_sparse(const RowBlock& X, HostView<const double> B, Workspace& workspace) {
  std::ranges::fill(workspace.product, 0.0);
  for (Index i = 0; i < X.count; ++i) {
    double* to = workspace.product.data() + i * B.cols;
    const auto end = static_cast<Index>(X.indptr[i + 1]);
    for (auto at = static_cast<Index>(X.indptr[i]); at < end; ++at) {
      const double x = X.values[at];
      const double* right = B.row(X.indices[at]);
      for (Index j = 0; j < B.cols; ++j) to[j] += x * right[j];
    }
  }
}

// Calls visit(rows, memory of the thread) for fixed blocks of X.
template <class Visit>
void each_block(const RowSource& X, const Job& job, const Visit& visit) {
  const std::vector<Index> firsts = even_parts(X.rows(), rows_at_once);
  std::vector<Workspace> workspaces(static_cast<std::size_t>(worker_count(job)));
  const RowReader reader(X);
  parallel_for(job, static_cast<Index>(firsts.size()) - 1, [&](Index block, Index worker) {
    Workspace& workspace = workspaces[worker];
    const Index begin = firsts[block];
    visit(reader.block(begin, firsts[block + 1] - begin, workspace.rows), workspace);
  });
}

// Calls visit(row, its products with the columns of B [c]) for all rows of X.
template <class Visit>
void each_product(const RowSource& X, HostView<const double> B, const Job& job,
                  const Visit& visit) {
  each_block(X, job, [&](const RowBlock& rows, Workspace& workspace) {
    workspace.product.resize(static_cast<std::size_t>(rows.count * B.cols));
    if (X.sparse())
      multiply_sparse(rows, B, workspace);
    else
      multiply_dense(rows.dense, B, workspace);
    for (Index i = 0; i < rows.count; ++i)
      visit(rows.begin + i, workspace.product.data() + i * B.cols);
  });
}

// ‖x‖² of the rows of a block.
void square_lengths(const RowBlock& rows, bool sparse, double scale, double* to) {
  for (Index i = 0; i < rows.count; ++i) {
    const float* values =
        sparse ? rows.values + static_cast<Index>(rows.indptr[i]) : rows.dense.row(i);
    const Index count =
        sparse ? static_cast<Index>(rows.indptr[i + 1] - rows.indptr[i]) : rows.dense.cols;
    double sum = 0;
    for (Index t = 0; t < count; ++t) {
      const double scaled = scale * values[t];
      sum += scaled * scaled;
    }
    to[rows.begin + i] = sum;
  }
}

}  // namespace

void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B,
                         HostView<float> to, const Job& job) {
  const double scale = std::ldexp(1.0, -exponent);
  each_product(X, B, job, [&](Index row, const double* product) {
    for (Index j = 0; j < B.cols; ++j) to(row, j) = static_cast<float>(scale * product[j]);
  });
}

std::vector<double> squared_products(const RowSource& X, int exponent, HostView<const double> B,
                                     const Job& job) {
  const double scale = std::ldexp(1.0, -exponent);
  std::vector<double> squares(static_cast<std::size_t>(X.rows()));
  if (B.cols == 0) {
    each_block(X, job, [&](const RowBlock& rows, Workspace&) {
      square_lengths(rows, X.sparse(), scale, squares.data());
    });
    return squares;
  }
  each_product(X, B, job, [&](Index row, const double* product) {
    double sum = 0;
    for (Index j = 0; j < B.cols; ++j) {
      const double scaled = scale * product[j];
      sum += scaled * scaled;
    }
    squares[row] = sum;
  });
  return squares;
}

}  // namespace gemmine::cpu
