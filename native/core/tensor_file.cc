#include "core/tensor_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "core/error.h"
#include "core/fingerprint.h"

namespace gemmine {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::file, path + ": " + what);
}

// A descriptor that is closed at the end of its scope. Errors name `path`; the open file may still
// have a temporary name.
class Descriptor {
 public:
  Descriptor(const std::string& path, const std::string& opened, int flags)
      : path_(path), value_(::open(opened.c_str(), flags | O_CLOEXEC, 0666)) {
    if (value_ < 0) throw FileFailure(path, errno);
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;

  void write(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(value_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) throw FileFailure(path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  void read(std::span<std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t got = ::read(value_, bytes.data(), bytes.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw FileFailure(path_, errno);
      if (got == 0) fail(path_, "expected a whole checkpoint, received one that ends early");
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
  }
  bool at_end() const {
    std::byte one;
    return ::read(value_, &one, 1) == 0;
  }
  // Closes after the bytes have reached the disk.
  void close() {
    const bool fine = ::fsync(value_) == 0 && ::close(value_) == 0;
    const int error = errno;
    value_ = -1;
    if (!fine) throw FileFailure(path_, error);
  }

 private:
  const std::string& path_;
  int value_;
};

// The checksum of the tensors as the last tensor.
FileTensor checksum_in(std::uint64_t& checksum) {
  return {"checksum", "U64", {1}, bytes_of(std::span(&checksum, 1))};
}

std::uint64_t checksum_of(std::span<const FileTensor> tensors) {
  std::uint64_t all = 0;
  for (const FileTensor& tensor : tensors) all = combine(all, fingerprint_of(tensor.bytes));
  return all;
}

std::string header_of(const std::string& metadata, std::span<const FileTensor> tensors) {
  std::string header;
  header.append("{\"__metadata__\":").append(metadata);
  std::size_t offset = 0;
  for (const FileTensor& tensor : tensors) {
    header.append(",\"").append(tensor.name).append("\":{\"dtype\":\"").append(tensor.type);
    header.append("\",\"shape\":[");
    for (const Index side : tensor.shape) header.append(std::to_string(side)).append(",");
    if (header.back() == ',') header.pop_back();
    header.append("],\"data_offsets\":[").append(std::to_string(offset)).append(",");
    offset += tensor.bytes.size();
    header.append(std::to_string(offset)).append("]}");
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');  // keeps float64 aligned
  return header;
}

std::span<const std::byte> view(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

void write_tensor_file(const std::string& path, const std::string& metadata,
                       std::span<const FileTensor> tensors) {
  std::uint64_t checksum = checksum_of(tensors);
  std::vector<FileTensor> all(tensors.begin(), tensors.end());
  all.push_back(checksum_in(checksum));
  const std::string header = header_of(metadata, all);
  const std::uint64_t length = header.size();
  const std::string beside = path + ".part-" + std::to_string(::getpid());
  try {
    Descriptor file(path, beside, O_WRONLY | O_CREAT | O_TRUNC);
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(view(header));
    for (const FileTensor& tensor : all) file.write(tensor.bytes);
    file.close();
  } catch (const Error& error) {
    ::unlink(beside.c_str());
    throw;
  }
  if (std::rename(beside.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  ::unlink(beside.c_str());
  throw FileFailure(path, error);
}

void read_tensor_file(const std::string& path, const std::string& metadata,
                      std::span<const FileTensor> tensors) {
  std::uint64_t checksum = 0;
  std::vector<FileTensor> all(tensors.begin(), tensors.end());
  all.push_back(checksum_in(checksum));
  const std::string expected = header_of(metadata, all);
  const Descriptor file(path, path, O_RDONLY);
  std::uint64_t length = 0;
  file.read(std::as_writable_bytes(std::span(&length, 1)));
  std::string header(expected.size(), '\0');
  if (length == expected.size())
    file.read(std::as_writable_bytes(std::span(header.data(), header.size())));
  if (header != expected) fail(path, "expected a checkpoint of this run, received another file");
  for (const FileTensor& tensor : all) file.read(tensor.bytes);
  if (!file.at_end()) fail(path, "expected the end of a checkpoint, received more bytes");
  if (checksum != checksum_of(tensors))
    fail(path, "expected a whole checkpoint, received a damaged one");
}

}  // namespace gemmine
