#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/matrix.h"

namespace gemmine {

// One tensor of a safetensors file, in the caller's memory.
struct FileTensor {
  std::string name;
  const char* type;  // "F32", "F64"
  std::vector<Index> shape;
  std::span<std::byte> bytes;
};

template <class T>
std::span<std::byte> bytes_of(std::span<T> values) {
  return std::as_writable_bytes(values);
}

// Writes a safetensors file: beside its place first, then by rename, so that `path` holds the old
// file or the whole new one at every moment. `metadata` is a JSON object of texts. Throws
// ErrorCode::file.
void write_tensor_file(const std::string& path, const std::string& metadata,
                       std::span<const FileTensor> tensors);

// Reads a file that write_tensor_file() wrote with the same metadata, names, types and shapes into
// their bytes. Any other file, and one that is cut short, throws ErrorCode::file.
void read_tensor_file(const std::string& path, const std::string& metadata,
                      std::span<const FileTensor> tensors);

}  // namespace gemmine
