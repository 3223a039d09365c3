#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "backend/cuda/device.h"
#include "backend/cuda/row_feed.h"
#include "backend/cuda/scan_sizes.h"
#include "backend/scans.h"

namespace gemmine::cuda {

// Consecutive rows on the device, as scans use them.
struct StoredRows {
  const std::uint16_t* halves;  // [count×stored_cols]
  const RowBound* bounds;       // [count]
};

// A corpus for scans on a GPU. What fits stays there: the rows as float16 with their bounds, and
// the float32 rows, which rescoring reads. The rest is streamed from the caller's memory in each
// scan.
class CudaCorpus : public CorpusHandle {
 public:
  // `host` is the same corpus on the CPU: it has checked the rows, and checks queries.
  CudaCorpus(std::shared_ptr<Device> device, const RowSource& rows,
             std::unique_ptr<CorpusHandle> host, const ScanSizes& sizes, const Job& job);

  const RowSource& rows() const override { return host_->rows(); }
  Metric metric() const override { return host_->metric(); }
  Index bytes() const override;
  Index zero_rows() const override { return host_->zero_rows() - removed_zeros_; }
  RowFilter live() const override { return {.bits = live_ ? &*live_ : nullptr}; }
  // The rows that were not removed.
  void set_live(const RowBits& live);

  const CorpusHandle& host() const { return *host_; }
  const std::shared_ptr<Device>& device() const { return device_; }
  const ScanSizes& sizes() const { return sizes_; }
  // Scans use (row·factor − centre)·2^exponent; factor is 1 over the norm for unit rows, else 1.
  const std::vector<float>& centre() const { return centre_; }
  int exponent() const { return exponent_; }
  // Columns of float16 rows: a multiple of 8, so that rows start at 16 bytes.
  Index stored_cols() const { return (rows().cols() + 7) / 8 * 8; }

  bool keeps_halves() const { return halves_.size() > 0; }
  bool keeps_rows() const { return kept_rows_.size() > 0; }
  const float* kept_rows() const { return kept_rows_.data(); }
  const double* kept_norms() const { return unit() ? norms_.data() : nullptr; }
  StoredRows stored(Index first) const {
    return {halves_.data() + first * stored_cols(), bounds_.data() + first};
  }
  Index rows_at_once() const;  // of a feed

  // Norms of float32 rows on the device.
  void measure(const float* from, Index count, double* norms) const;
  // Gives the device the work of making `halves` and `bounds` of rows; `norms` only for unit rows.
  void store(const float* from, Index count, const double* norms, std::uint16_t* halves,
             RowBound* bounds) const;
  // The same with float32 rows [count×cols] in the place of halves.
  void scale(const float* from, Index count, const double* norms, float* values,
             RowBound* bounds) const;
  bool unit() const { return has_unit_rows(metric()); }

 private:
  PrepareRows preparing(const float* from, Index count, const double* norms,
                        RowBound* bounds) const;
  void find_exponent(const Job& job);
  void find_centre(const Job& job);
  void choose_what_stays();
  void upload(const Job& job);

  std::shared_ptr<Device> device_;
  std::unique_ptr<CorpusHandle> host_;
  ScanSizes sizes_;
  std::optional<RowBits> live_;  // nothing: all rows
  Index removed_zeros_ = 0;      // zero rows that were removed
  std::vector<float> centre_;
  int exponent_ = 0;
  Array<float> device_centre_;
  Array<double> norms_;  // of unit rows that are kept
  Array<std::uint16_t> halves_;
  Array<RowBound> bounds_;
  Array<float> kept_rows_;
};

// Makes the rows of a scan available piece by piece, in ascending order.
class StoredFeed {
 public:
  explicit StoredFeed(const CudaCorpus& corpus);

  Index rows_at_once() const;  // at most, a multiple of 32
  StoredRows bring(Index first, Index count, const Job& job);

 private:
  const CudaCorpus& corpus_;
  std::unique_ptr<RowFeed> feed_;  // null if the rows are kept
  Array<double> norms_;
  Array<std::uint16_t> halves_;
  Array<RowBound> bounds_;
};

}  // namespace gemmine::cuda
