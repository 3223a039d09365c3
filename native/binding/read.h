#pragma once

#include <napi.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "backend/entries.h"
#include "binding/borrowed.h"
#include "core/matrix.h"
#include "core/named.h"
#include "core/owned_rows.h"
#include "core/row_source.h"

// Reads arguments. lib/ has validated them with messages for users; here only memory safety is
// checked again: types, lengths, strides, offsets, alignment. Throws Napi::TypeError.
namespace gemmine::binding {

[[noreturn]] void refuse(Napi::Env env, const std::string& expected, const std::string& name);

Napi::Object read_object(const Napi::Value& value, const char* name);

// Reads a required option. Index and std::uint64_t: an integer in 0..2^53 − 1.
template <class T>
T read(const Napi::Object& from, const char* name);
template <>
bool read(const Napi::Object& from, const char* name);
template <>
double read(const Napi::Object& from, const char* name);
template <>
Index read(const Napi::Object& from, const char* name);
template <>
std::uint64_t read(const Napi::Object& from, const char* name);
template <>
std::string read(const Napi::Object& from, const char* name);

// Reads an option; empty for undefined and null.
template <class T>
std::optional<T> read_optional(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined() || value.IsNull()) return std::nullopt;
  return read<T>(from, name);
}

template <class Choice, std::size_t count>
Choice read_choice(const Napi::Object& from, const char* name,
                   const std::array<Named<Choice>, count>& choices) {
  const auto given = read<std::string>(from, name);
  for (const auto& [spelling, choice] : choices)
    if (given == spelling) return choice;
  refuse(from.Env(), "a known name", name);
}

// The elements of a typed array of exactly this type, from any realm, over any kind of buffer.
template <class T>
std::span<T> read_span(const Napi::Value& value, const std::string& name, Borrowed& borrowed);
extern template std::span<float> read_span(const Napi::Value&, const std::string&, Borrowed&);
extern template std::span<double> read_span(const Napi::Value&, const std::string&, Borrowed&);
extern template std::span<std::int32_t> read_span(const Napi::Value&, const std::string&,
                                                  Borrowed&);
extern template std::span<std::uint32_t> read_span(const Napi::Value&, const std::string&,
                                                   Borrowed&);
extern template std::span<std::uint8_t> read_span(const Napi::Value&, const std::string&,
                                                  Borrowed&);

// `loss`: an object with the fields of Loss.
Loss read_loss(const Napi::Object& from);

// The `type` of the elements, and whether they are `bigEndian`.
ElementType read_element_type(const Napi::Object& from);
ElementFormat read_element_format(const Napi::Object& from);

void check_length(Napi::Env env, const std::string& name, std::size_t received, Index rows,
                  Index cols);

// The same for rows · cols elements.
template <class T>
T* read_array(const Napi::Value& value, const std::string& name, Index rows, Index cols,
              Borrowed& borrowed) {
  const std::span<T> elements = read_span<T>(value, name, borrowed);
  check_length(value.Env(), name, elements.size(), rows, cols);
  return elements.data();
}

// A Matrix of lib/data/matrix.ts: { data, rows, cols, stride? }.
HostView<float> read_matrix(const Napi::Value& value, const std::string& name, Borrowed& borrowed);
void check_shape(Napi::Env env, const char* name, const HostView<float>& matrix, Index rows,
                 Index cols);

// A NativeSource of lib/native.ts.
struct Source {
  std::string name;   // rows->argument points to it
  std::string place;  // the name, with the path if it is a file
  std::unique_ptr<RowSource> rows;
  std::size_t entries;                    // of a sparse matrix
  std::optional<DenseElements> elements;  // of a dense matrix in borrowed memory
  Index owned_bytes = 0;                  // size of rows that this source owns
};

std::shared_ptr<const Source> read_source(const Napi::Value& value, Borrowed& borrowed);
std::shared_ptr<const Source> read_dense_source(const Napi::Value& value, Borrowed& borrowed);

void check_columns(Napi::Env env, const Source& source, Index cols);

// Checks every row start and column of a sparse matrix; called on the job's thread, because there
// may be many.
void check_entries(const Source& source);

}  // namespace gemmine::binding
