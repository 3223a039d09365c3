#include "core/row_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "core/float16.h"

namespace gemmine {
namespace {

std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::float64:
      return 8;
    case ElementType::float32:
      return 4;
    case ElementType::float16:
      return 2;
    default:
      return 1;
  }
}

template <class T>
void widen(const void* from, Index count, float* to) {
  std::transform(static_cast<const T*>(from), static_cast<const T*>(from) + count, to,
                 [](T x) { return static_cast<float>(x); });
}

void widen_elements(const void* from, ElementType type, Index count, float* to) {
  switch (type) {
    case ElementType::float32:
      return widen<float>(from, count, to);
    case ElementType::float64:
      return widen<double>(from, count, to);
    case ElementType::int8:
      return widen<std::int8_t>(from, count, to);
    case ElementType::uint8:
      return widen<std::uint8_t>(from, count, to);
    case ElementType::float16:
      break;
  }
  const auto* halves = static_cast<const std::uint16_t*>(from);
  std::transform(halves, halves + count, to, widen_float16);
}

template <class T>
double as_double(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<double>(value);
}

double element(const std::byte* from, ElementType type) {
  switch (type) {
    case ElementType::float64:
      return as_double<double>(from);
    case ElementType::float32:
      return as_double<float>(from);
    case ElementType::int8:
      return as_double<std::int8_t>(from);
    case ElementType::uint8:
      return as_double<std::uint8_t>(from);
    case ElementType::float16:
      break;
  }
  std::uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return widen_float16(bits);
}

RowBlock dense_block(Index begin, HostView<const float> rows) {
  return {.begin = begin,
          .count = rows.rows,
          .dense = rows,
          .indptr = nullptr,
          .indices = nullptr,
          .values = nullptr};
}

// Grows only, so that a thread's scratch settles after its first blocks.
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
    float* values = space_for(scratch, count * cols_);
    for (Index i = 0; i < count; ++i) {
      const std::byte* row = data_ + (begin + i) * stride_ * static_cast<Index>(size_of(type_));
      widen_elements(row, type_, cols_, values + i * cols_);
    }
    return dense_block(begin, {values, count, cols_, cols_});
  }

  double entry(Index row, Index column) const override {
    const auto size = static_cast<Index>(size_of(type_));
    return element(data_ + (row * stride_ + column) * size, type_);
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
  FileSource(int fd, Index offset, ElementType type, Index rows, Index cols, std::string path)
      : fd_(::fcntl(fd, F_DUPFD_CLOEXEC, 0)),
        offset_(offset),
        type_(type),
        rows_(rows),
        cols_(cols),
        path_(std::move(path)) {
    if (fd_ < 0) throw Error(ErrorCode::file, path_ + ": " + std::strerror(errno));
  }
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  Index rows() const override { return rows_; }
  Index cols() const override { return cols_; }

  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    expect(begin >= 0 && count >= 0 && begin + count <= rows_, "block within the source");
    const Index row_bytes = cols_ * static_cast<Index>(size_of(type_));
    const Index at = offset_ + begin * row_bytes;
    float* values = space_for(scratch, count * cols_);
    if (type_ == ElementType::float32) {
      read(at, count * row_bytes, reinterpret_cast<std::byte*>(values));
    } else {
      const auto bytes = static_cast<std::size_t>(count * row_bytes);
      if (scratch.bytes.size() < bytes) scratch.bytes.resize(bytes);
      read(at, count * row_bytes, scratch.bytes.data());
      widen_elements(scratch.bytes.data(), type_, count * cols_, values);
    }
    return dense_block(begin, {values, count, cols_, cols_});
  }

  double entry(Index row, Index column) const override {
    const auto size = static_cast<Index>(size_of(type_));
    std::byte bytes[sizeof(double)];
    read(offset_ + (row * cols_ + column) * size, size, bytes);
    return element(bytes, type_);
  }

 private:
  void read(Index at, Index bytes, std::byte* to) const {
    for (Index done = 0; done < bytes;) {
      const auto wanted = static_cast<std::size_t>(bytes - done);
      const ssize_t got = ::pread(fd_, to + done, wanted, at + done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(ErrorCode::file, path_ + ": " + std::strerror(errno));
      if (got == 0)
        throw Error(ErrorCode::file, path_ + ": expected " + std::to_string(at + bytes) +
                                         " bytes, the file ends after " +
                                         std::to_string(at + done));
      done += got;
    }
  }

  int fd_;  // its own: the caller may close theirs, and the system hands the number on
  Index offset_;
  ElementType type_;
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

}  // namespace

InvalidEntry not_finite(const RowSource& source, Index row, Index column) {
  const double value = source.entry(row, column);
  return {source.argument, row, column, value,
          std::isfinite(value) ? "a number within float32's range" : "a finite number"};
}

std::unique_ptr<RowSource> dense_source(const void* data, ElementType type, Index rows, Index cols,
                                        Index stride) {
  return std::make_unique<DenseSource>(data, type, rows, cols, stride);
}

std::unique_ptr<RowSource> file_source(int fd, Index offset, ElementType type, Index rows,
                                       Index cols, std::string path) {
  return std::make_unique<FileSource>(fd, offset, type, rows, cols, std::move(path));
}

std::unique_ptr<RowSource> sparse_source(const double* indptr, const std::int32_t* indices,
                                         const float* values, Index rows, Index cols) {
  return std::make_unique<SparseSource>(indptr, indices, values, rows, cols);
}

}  // namespace gemmine
