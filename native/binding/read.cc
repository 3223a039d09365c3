#include "binding/read.h"

#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "binding/element_kinds.h"
#include "binding/failure.h"
#include "core/row_block.h"

namespace gemmine::binding {
namespace {

constexpr double largest_integer = 9007199254740991.0;  // 2^53 − 1

template <class T>
constexpr napi_typedarray_type kind_of() {
  if constexpr (std::is_same_v<T, float>) return napi_float32_array;
  if constexpr (std::is_same_v<T, double>) return napi_float64_array;
  if constexpr (std::is_same_v<T, std::int32_t>) return napi_int32_array;
  if constexpr (std::is_same_v<T, std::uint32_t>) return napi_uint32_array;
  if constexpr (std::is_same_v<T, std::uint8_t>) return napi_uint8_array;
}

struct Elements {
  void* data;
  std::size_t count;
};

// A detached array has no data and no elements. Calls Node-API directly, because node-addon-api's
// views do not support all array types of Node.js.
Elements elements_of(const Napi::Value& value, napi_typedarray_type wanted, std::size_t size,
                     const std::string& name, Borrowed& borrowed) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray()) refuse(env, "a typed array", name);
  napi_typedarray_type kind;
  Elements elements{};
  const napi_status status = napi_get_typedarray_info(env, value, &kind, &elements.count,
                                                      &elements.data, nullptr, nullptr);
  if (status != napi_ok || kind != wanted) refuse(env, "another type of array", name);
  if (reinterpret_cast<std::uintptr_t>(elements.data) % size != 0)
    refuse(env, "memory aligned to its elements", name);
  borrowed.keep(value.As<Napi::Object>());
  return elements;
}

bool has(const Napi::Object& from, const char* name) { return !from.Get(name).IsUndefined(); }

// Returns whether rows of `cols` elements, `stride` apart, fit in `length` elements, without
// overflow.
bool fits(Index rows, Index cols, Index stride, Index length) {
  return rows >= 1 && cols >= 1 && stride >= cols && cols <= length &&
         rows - 1 <= (length - cols) / stride;
}

struct Sides {
  Index rows;
  Index cols;
};

Sides read_sides(const Napi::Object& from) {
  return {read<Index>(from, "rows"), read<Index>(from, "cols")};
}

napi_typedarray_type array_of(ElementType type) {
  for (const auto& [name, known, array] : element_kinds)
    if (known == type) return array;
  expect(false, "an element type of the list");
  return napi_uint8_array;
}

DenseElements read_dense(const Napi::Object& from, const std::string& name, Borrowed& borrowed) {
  const auto [rows, cols] = read_sides(from);
  const auto stride = read<Index>(from, "stride");
  const ElementType type = read_element_type(from);
  const auto [data, count] =
      elements_of(from.Get("data"), array_of(type), static_cast<std::size_t>(size_of(type)),
                  name + ".data", borrowed);
  if (!fits(rows, cols, stride, static_cast<Index>(count)))
    refuse(from.Env(), "as many elements as its rows and stride need", name + ".data");
  return {.data = data, .type = type, .rows = rows, .cols = cols, .stride = stride};
}

std::unique_ptr<RowSource> read_file(const Napi::Object& from, const std::string& name) {
  const auto [rows, cols] = read_sides(from);
  const ElementFormat format = read_element_format(from);
  const auto fd = read<Index>(from, "fd");
  const auto offset = read<Index>(from, "offset");
  const auto limit = static_cast<Index>(largest_integer) / size_of(format.type);
  if (fd > INT32_MAX || !fits(rows, cols, cols, limit)) refuse(from.Env(), "an open file", name);
  const std::string path = read_optional<std::string>(from, "path").value_or(name);
  try {
    return file_source(static_cast<int>(fd), offset, format, rows, cols, path);
  } catch (...) {
    throw Napi::Error(from.Env(), to_js_error(from.Env(), std::current_exception()));
  }
}

std::unique_ptr<RowSource> read_sparse(const Napi::Object& from, const std::string& name,
                                       Borrowed& borrowed, std::size_t& entries) {
  const auto [rows, cols] = read_sides(from);
  const double* starts =
      read_array<double>(from.Get("indptr"), name + ".indptr", rows + 1, 1, borrowed);
  const auto indices = read_span<std::int32_t>(from.Get("indices"), name + ".indices", borrowed);
  entries = indices.size();
  const float* values = read_array<float>(from.Get("values"), name + ".values",
                                          static_cast<Index>(entries), 1, borrowed);
  if (rows < 1 || cols < 1) refuse(from.Env(), "at least one row and one column", name);
  return sparse_source(starts, indices.data(), values, rows, cols);
}

}  // namespace

void refuse(Napi::Env env, const std::string& expected, const std::string& name) {
  throw refusal_error(env, Refusal(expected, name));
}

Napi::Object read_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) refuse(value.Env(), "an object", name);
  return value.As<Napi::Object>();
}

template <>
bool read(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsBoolean()) refuse(from.Env(), "true or false", name);
  return value.As<Napi::Boolean>();
}

template <>
double read(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsNumber()) refuse(from.Env(), "a number", name);
  return value.As<Napi::Number>().DoubleValue();
}

template <>
Index read(const Napi::Object& from, const char* name) {
  const auto value = read<double>(from, name);
  if (!(value >= 0 && value <= largest_integer && value == std::floor(value)))
    refuse(from.Env(), "an integer in 0..9007199254740991", name);
  return static_cast<Index>(value);
}

template <>
std::uint64_t read(const Napi::Object& from, const char* name) {
  return static_cast<std::uint64_t>(read<Index>(from, name));
}

template <>
std::string read(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsString()) refuse(from.Env(), "a string", name);
  return value.As<Napi::String>();
}

template <class T>
std::span<T> read_span(const Napi::Value& value, const std::string& name, Borrowed& borrowed) {
  const auto [data, count] = elements_of(value, kind_of<T>(), sizeof(T), name, borrowed);
  return {static_cast<T*>(data), count};
}
template std::span<float> read_span(const Napi::Value&, const std::string&, Borrowed&);
template std::span<double> read_span(const Napi::Value&, const std::string&, Borrowed&);
template std::span<std::int32_t> read_span(const Napi::Value&, const std::string&, Borrowed&);
template std::span<std::uint32_t> read_span(const Napi::Value&, const std::string&, Borrowed&);
template std::span<std::uint8_t> read_span(const Napi::Value&, const std::string&, Borrowed&);

Loss read_loss(const Napi::Object& from) {
  const Napi::Object loss = read_object(from.Get("loss"), "loss");
  return {.kind = read_choice(loss, "kind", loss_names),
          .beta = read<double>(loss, "beta"),
          .multiple = read<double>(loss, "multiple"),
          .parameter = read<double>(loss, "parameter")};
}

ElementType read_element_type(const Napi::Object& from) {
  const auto given = read<std::string>(from, "type");
  for (const ElementKind& kind : element_kinds)
    if (given == kind.name) return kind.type;
  refuse(from.Env(), "a known element type", "type");
}

ElementFormat read_element_format(const Napi::Object& from) {
  return {read_element_type(from), read_optional<bool>(from, "bigEndian").value_or(false)};
}

void check_length(Napi::Env env, const std::string& name, std::size_t received, Index rows,
                  Index cols) {
  const auto count = static_cast<Index>(received);
  const bool right = cols == 0 ? count == 0 : count % cols == 0 && count / cols == rows;
  if (!right) refuse(env, std::to_string(rows) + " x " + std::to_string(cols) + " elements", name);
}

HostView<float> read_matrix(const Napi::Value& value, const std::string& name, Borrowed& borrowed) {
  const Napi::Object from = read_object(value, name.c_str());
  const auto [rows, cols] = read_sides(from);
  const Index stride = read_optional<Index>(from, "stride").value_or(cols);
  const std::span<float> data = read_span<float>(from.Get("data"), name + ".data", borrowed);
  if (!fits(rows, cols, stride, static_cast<Index>(data.size())))
    refuse(from.Env(), "as many elements as its rows and stride need", name + ".data");
  return {data.data(), rows, cols, stride};
}

void check_shape(Napi::Env env, const char* name, const HostView<float>& matrix, Index rows,
                 Index cols) {
  if (matrix.rows != rows || matrix.cols != cols)
    refuse(env, std::to_string(rows) + " rows of " + std::to_string(cols), name);
}

std::shared_ptr<const Source> read_source(const Napi::Value& value, Borrowed& borrowed) {
  const Napi::Object from = read_object(value, "matrix");
  const auto source = std::make_shared<Source>();
  source->name = read<std::string>(from, "name");
  source->place = source->name;
  if (const auto path = read_optional<std::string>(from, "path"))
    source->place += " (" + *path + ")";
  if (has(from, "indptr"))
    source->rows = read_sparse(from, source->name, borrowed, source->entries);
  else if (has(from, "fd"))
    source->rows = read_file(from, source->name);
  else
    source->elements = read_dense(from, source->name, borrowed);
  if (const auto& lie = source->elements)
    source->rows = dense_source(lie->data, lie->type, lie->rows, lie->cols, lie->stride);
  source->rows->argument = source->name.c_str();
  return source;
}

std::shared_ptr<const Source> read_dense_source(const Napi::Value& value, Borrowed& borrowed) {
  const Napi::Object from = read_object(value, "matrix");
  if (has(from, "indptr")) refuse(value.Env(), "a dense matrix", read<std::string>(from, "name"));
  return read_source(value, borrowed);
}

void check_columns(Napi::Env env, const Source& source, Index cols) {
  if (source.rows->cols() != cols) refuse(env, std::to_string(cols) + " columns", source.name);
}

void check_entries(const Source& source) {
  const double* starts = source.rows->indptr();
  if (starts == nullptr) return;
  const Index rows = source.rows->rows();
  const auto entries = static_cast<double>(source.entries);
  for (Index i = 0; i < rows; ++i)
    if (!(starts[i] <= starts[i + 1]) || starts[i] != std::floor(starts[i]))
      throw Refusal("ascending integers", source.name + ".indptr");
  if (starts[0] != 0 || starts[rows] != entries)
    throw Refusal("row starts from 0 to the number of entries", source.name + ".indptr");
  RowScratch unused;
  const std::int32_t* columns = source.rows->block(0, rows, unused).indices;
  const Index cols = source.rows->cols();
  for (std::size_t t = 0; t < source.entries; ++t)
    if (columns[t] < 0 || columns[t] >= cols)
      throw Refusal("columns of the matrix", source.name + ".indices");
}

}  // namespace gemmine::binding
