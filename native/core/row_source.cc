#include "core/row_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "core/read_ahead.h"
#include "core/row_block.h"

namespace gemmine {
namespace {

// Converts rows that are `stride` elements apart to float32 rows without gaps.
void widen_rows(const RowSource& source, const std::byte* from, ElementFormat format, Index stride,
                Index begin, HostView<float> to) {
  const Index size = size_of(format.type);
  const auto entry = [&](Index i, Index j) { return from + (i * stride + j) * size; };
  bool exact = true;
  for (Index i = 0; i < to.rows; ++i)
    exact &= widen_elements(entry(i, 0), format, to.cols, to.row(i));
  if (exact) return;
  for (Index i = 0; i < to.rows; ++i)
    for (Index j = 0; j < to.cols; ++j)
      if (const auto digits = inexact_integer(entry(i, j), format))
        throw InvalidEntry(source.argument, begin + i, j, element(entry(i, j), format),
                           exact_integer, *digits);
}

RowBlock dense_block(Index begin, HostView<const float> rows) {
  return {.begin = begin,
          .count = rows.rows,
          .dense = rows,
          .indptr = nullptr,
          .indices = nullptr,
          .values = nullptr};
}

// Never shrinks, so a thread allocates scratch memory only for its first blocks.
float* space_for(RowScratch& scratch, Index count) {
  if (static_cast<Index>(scratch.values.size()) < count) scratch.values.resize(count);
  return scratch.values.data();
}

class DenseSource : public RowSource {
 public:
  DenseSource(const void* data, ElementType type, Index rows, Index cols, Index stride)
      : data_(static_cast<const std::byte*>(data)),
        type_(type),
        rows_(rows),
        cols_(cols),
        stride_(stride) {}

  Index rows() const override { return rows_; }
  Index cols() const override { return cols_; }

  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    expect(begin >= 0 && count >= 0 && begin + count <= rows_, "block within the source");
    if (type_ == ElementType::float32) {
      const auto* values = reinterpret_cast<const float*>(data_) + begin * stride_;
      return dense_block(begin, {values, count, cols_, stride_});
    }
    const HostView<float> widened{space_for(scratch, count * cols_), count, cols_, cols_};
    widen_rows(*this, data_ + begin * stride_ * size_of(type_), type_, stride_, begin, widened);
    return dense_block(begin, widened);
  }

  double entry(Index row, Index column) const override {
    return element(data_ + (row * stride_ + column) * size_of(type_), type_);
  }

  std::optional<RowPlace> place() const override {
    return RowPlace{.memory = data_,
                    .device = 0,
                    .file = 0,
                    .offset = 0,
                    .stride = stride_,
                    .type = type_,
                    .swapped = false};
  }

 private:
  const std::byte* data_;
  ElementType type_;
  Index rows_;
  Index cols_;
  Index stride_;
};

class FileSource : public RowSource {
 public:
  FileSource(int fd, Index offset, ElementFormat format, Index rows, Index cols, std::string path)
      : fd_(::fcntl(fd, F_DUPFD_CLOEXEC, 0)),
        offset_(offset),
        format_(format),
        rows_(rows),
        cols_(cols),
        path_(std::move(path)) {
    if (fd_ < 0) throw FileFailure(path_, errno);
  }
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  Index rows() const override { return rows_; }
  Index cols() const override { return cols_; }

  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    expect(begin >= 0 && count >= 0 && begin + count <= rows_, "block within the source");
    const Index bytes = count * cols_ * size_of(format_.type);
    const Index at = offset_ + begin * cols_ * size_of(format_.type);
    const HostView<float> values{space_for(scratch, count * cols_), count, cols_, cols_};
    if (format_.type == ElementType::float32 && !format_.swapped) {
      read(at, bytes, reinterpret_cast<std::byte*>(values.data));
    } else {
      if (static_cast<Index>(scratch.bytes.size()) < bytes) scratch.bytes.resize(bytes);
      read(at, bytes, scratch.bytes.data());
      widen_rows(*this, scratch.bytes.data(), format_, cols_, begin, values);
    }
    return dense_block(begin, values);
  }

  std::unique_ptr<ReadAhead> read_ahead(RowRange rows) const override {
    const RowsInFile file{.fd = fd_, .offset = offset_, .row_bytes = cols_ * size_of(format_.type)};
    return std::make_unique<ReadAhead>(file, rows);
  }

  double entry(Index row, Index column) const override {
    const Index size = size_of(format_.type);
    std::byte bytes[sizeof(double)];
    read(offset_ + (row * cols_ + column) * size, size, bytes);
    return element(bytes, format_);
  }

  std::optional<RowPlace> place() const override {
    struct stat file{};
    if (::fstat(fd_, &file) != 0) return std::nullopt;
    return RowPlace{.memory = nullptr,
                    .device = static_cast<std::uint64_t>(file.st_dev),
                    .file = static_cast<std::uint64_t>(file.st_ino),
                    .offset = offset_,
                    .stride = cols_,
                    .type = format_.type,
                    .swapped = format_.swapped};
  }

 private:
  void read(Index at, Index bytes, std::byte* to) const {
    for (Index done = 0; done < bytes;) {
      const auto wanted = static_cast<std::size_t>(bytes - done);
      const ssize_t got = ::pread(fd_, to + done, wanted, at + done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw FileFailure(path_, errno);
      if (got == 0)
        throw Error(ErrorCode::file, path_ + ": expected " + std::to_string(at + bytes) +
                                         " bytes, the file ends after " +
                                         std::to_string(at + done));
      done += got;
    }
  }

  int fd_;  // a duplicate: the caller may close the original, and the system reuses its number
  Index offset_;
  ElementFormat format_;
  Index rows_;
  Index cols_;
  std::string path_;
};

class SparseSource : public RowSource {
 public:
  SparseSource(const double* indptr, const std::int32_t* indices, const float* values, Index rows,
               Index cols)
      : indptr_(indptr), indices_(indices), values_(values), rows_(rows), cols_(cols) {}

  Index rows() const override { return rows_; }
  Index cols() const override { return cols_; }
  Index nonzeros() const override { return static_cast<Index>(indptr_[rows_]); }
  const double* indptr() const override { return indptr_; }

  RowBlock block(Index begin, Index count, RowScratch&) const override {
    expect(begin >= 0 && count >= 0 && begin + count <= rows_, "block within the source");
    return {.begin = begin,
            .count = count,
            .dense = {nullptr, count, cols_, 0},
            .indptr = indptr_ + begin,
            .indices = indices_,
            .values = values_};
  }

  double entry(Index row, Index column) const override {
    double sum = 0;
    for (auto at = static_cast<Index>(indptr_[row]); at < static_cast<Index>(indptr_[row + 1]);
         ++at)
      if (indices_[at] == column) sum += values_[at];
    return sum;
  }

 private:
  const double* indptr_;
  const std::int32_t* indices_;
  const float* values_;
  Index rows_;
  Index cols_;
};

class RowsWithin : public RowSource {
 public:
  RowsWithin(const RowSource& all, RowRange range) : all_(all), range_(range) {
    argument = all.argument;
    first = all.first + range.begin;
  }
  Index rows() const override { return range_.count; }
  Index cols() const override { return all_.cols(); }
  void take(Index begin, Index count) const override { all_.take(range_.begin + begin, count); }
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    RowBlock rows = all_.block(range_.begin + begin, count, scratch);
    rows.begin = begin;
    return rows;
  }
  double entry(Index row, Index column) const override {
    return all_.entry(range_.begin + row, column);
  }
  std::unique_ptr<ReadAhead> read_ahead(RowRange rows) const override {
    return all_.read_ahead({.begin = range_.begin + rows.begin, .count = rows.count});
  }

 private:
  const RowSource& all_;
  RowRange range_;
};

// Another source times 2^exponent, block by block.
class RescaledSource : public RowSource {
 public:
  RescaledSource(const RowSource& source, int exponent)
      : source_(source), factor_(std::ldexp(1.0, exponent)) {
    argument = source.argument;
  }

  Index rows() const override { return source_.rows(); }
  Index cols() const override { return source_.cols(); }
  Index nonzeros() const override { return source_.nonzeros(); }
  const double* indptr() const override { return source_.indptr(); }
  double entry(Index row, Index column) const override {
    return std::ldexp(source_.entry(row, column), std::ilogb(factor_));
  }
  std::unique_ptr<ReadAhead> read_ahead(RowRange rows) const override {
    return source_.read_ahead(rows);
  }

  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    RowBlock block = source_.block(begin, count, scratch);
    if (block.dense.data == nullptr) {
      const auto first = static_cast<Index>(block.indptr[0]);
      const auto entries = static_cast<Index>(block.indptr[count]) - first;
      block.values = scale(block.values + first, 1, entries, entries, scratch) - first;
    } else {
      const HostView<const float> rows = block.dense;
      block.dense.data = scale(rows.data, rows.rows, rows.cols, rows.stride, scratch);
      block.dense.stride = rows.cols;
    }
    return block;
  }

 private:
  // In place if the block is already in scratch memory. Multiplies in float64, in which all these
  // powers of two are normal numbers.
  const float* scale(const float* from, Index rows, Index cols, Index stride,
                     RowScratch& scratch) const {
    const bool inside = from == scratch.values.data();
    const auto needed = static_cast<std::size_t>(std::max<Index>(1, rows * cols));
    if (!inside && scratch.values.size() < needed) scratch.values.resize(needed);
    float* to = scratch.values.data();
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < cols; ++j)
        to[i * cols + j] = static_cast<float>(double{from[i * stride + j]} * factor_);
    return to;
  }

  const RowSource& source_;
  double factor_;
};

}  // namespace

std::unique_ptr<ReadAhead> RowSource::read_ahead(RowRange) const { return nullptr; }

std::unique_ptr<RowSource> rows_within(const RowSource& rows, RowRange range) {
  return std::make_unique<RowsWithin>(rows, range);
}

std::unique_ptr<RowSource> rescaled(const RowSource& source, int exponent) {
  return std::make_unique<RescaledSource>(source, exponent);
}

void take_row(const RowBlock& block, Index i, double scale, std::span<double> row) {
  if (block.dense.data != nullptr) {
    for (Index t = 0; t < block.dense.cols; ++t) row[t] = block.dense(i, t) * scale;
    return;
  }
  std::ranges::fill(row, 0.0);
  const auto end = static_cast<Index>(block.indptr[i + 1]);
  for (auto at = static_cast<Index>(block.indptr[i]); at < end; ++at)
    row[block.indices[at]] += block.values[at] * scale;
}

InvalidEntry not_finite(const RowSource& source, Index row, Index column) {
  const double value = source.entry(row, column);
  return {source.argument, source.first + row, column, value,
          std::isfinite(value) ? "a number within float32's range" : "a finite number"};
}

bool same_rows(const RowSource& a, const RowSource& b) {
  if (&a == &b) return true;
  const auto place = a.place();
  return place && place == b.place() && a.rows() == b.rows() && a.cols() == b.cols();
}

std::unique_ptr<RowSource> dense_source(const void* data, ElementType type, Index rows, Index cols,
                                        Index stride) {
  return std::make_unique<DenseSource>(data, type, rows, cols, stride);
}

std::unique_ptr<RowSource> file_source(int fd, Index offset, ElementFormat format, Index rows,
                                       Index cols, std::string path) {
  return std::make_unique<FileSource>(fd, offset, format, rows, cols, std::move(path));
}

std::unique_ptr<RowSource> sparse_source(const double* indptr, const std::int32_t* indices,
                                         const float* values, Index rows, Index cols) {
  return std::make_unique<SparseSource>(indptr, indices, values, rows, cols);
}

}  // namespace gemmine
