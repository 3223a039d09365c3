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

// Writes a safetensors file under a temporary name and renames it, so that `path` is always the old
// file or the complete new one. `metadata` is a JSON object of strings. The file ends with a
// checksum of the bytes of the tensors. Throws ErrorCode::file.
void write_tensor_file(const std::string& path, const std::string& metadata,
                       std::span<const FileTensor> tensors);

// Reads a file of write_tensor_file() with the same metadata, names, types and shapes into the
// bytes of the tensors. Any other file, and one with a damaged byte, throws ErrorCode::file.
void read_tensor_file(const std::string& path, const std::string& metadata,
                      std::span<const FileTensor> tensors);

}  // namespace gemmine
