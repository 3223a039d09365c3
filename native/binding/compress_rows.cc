// compressRows(entries, indptr, indices, values, control) resolves to the number of entries left.
#include <utility>

#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/to_js.h"
#include "core/compressed_rows.h"

namespace gemmine::binding {
namespace {

constexpr std::array<Named<SparseLayout>, 3> layouts{{{"csr", SparseLayout::csr},
                                                      {"csc", SparseLayout::csc},
                                                      {"coordinate", SparseLayout::coordinate}}};
constexpr std::array<Named<Mirror>, 3> mirrors{
    {{"none", Mirror::none}, {"symmetric", Mirror::symmetric}, {"skew", Mirror::skew}}};

FileArray read_file_array(const Napi::Object& entries, const char* part, Borrowed& borrowed) {
  const Napi::Object from = read_object(entries.Get(part), part);
  const auto bytes = read_span<std::uint8_t>(from.Get("bytes"), part, borrowed);
  const ElementFormat format = read_element_format(from);
  return {.name = read<std::string>(from, "name"),
          .data = reinterpret_cast<const std::byte*>(bytes.data()),
          .format = format,
          .count = static_cast<Index>(bytes.size()) / size_of(format.type)};
}

SparseEntries read_entries(const Napi::Value& value, Borrowed& borrowed) {
  const Napi::Object from = read_object(value, "entries");
  SparseEntries given{.layout = read_choice(from, "layout", layouts),
                      .mirror = read_choice(from, "mirror", mirrors),
                      .rows = read<Index>(from, "rows"),
                      .cols = read<Index>(from, "cols"),
                      .entries = read<Index>(from, "entries"),
                      .major = read_file_array(from, "major", borrowed),
                      .minor = read_file_array(from, "minor", borrowed),
                      .values = read_file_array(from, "values", borrowed)};
  const bool by_column = given.layout == SparseLayout::csc;
  const Index starts = (by_column ? given.cols : given.rows) + 1;
  const Index needed = given.layout == SparseLayout::coordinate ? given.entries : starts;
  if (given.rows < 1 || given.rows > INT32_MAX || given.cols < 1 || given.cols > INT32_MAX)
    refuse(value.Env(), "sides in 1..2147483647", "entries");
  if (given.major.count < needed || given.minor.count < given.entries ||
      given.values.count < given.entries)
    refuse(value.Env(), "as many elements as entries", "entries");
  if (given.mirror != Mirror::none &&
      (given.layout != SparseLayout::coordinate || given.rows != given.cols))
    refuse(value.Env(), "coordinates of a square matrix", "mirror");
  return given;
}

template <class Start>
Napi::Value compress(const Napi::CallbackInfo& info, const SparseEntries& given,
                     Borrowed borrowed) {
  const auto indptr = read_span<Start>(info[1], "indptr", borrowed);
  const auto indices = read_span<std::int32_t>(info[2], "indices", borrowed);
  const auto values = read_span<float>(info[3], "values", borrowed);
  check_length(info.Env(), "indptr", indptr.size(), given.rows + 1, 1);
  check_length(info.Env(), "values", values.size(), static_cast<Index>(indices.size()), 1);
  if (static_cast<Index>(indices.size()) < given.entries)
    refuse(info.Env(), "room for every entry", "indices");
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [=](const Job& job) { return compress_rows(given, indptr, indices, values, job); },
      [](Napi::Env env, Index written) { return number(env, written); });
}

}  // namespace

Napi::Value CompressRows(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const SparseEntries given = read_entries(info[0], borrowed);
  const bool narrow =
      info[1].IsTypedArray() && info[1].As<Napi::TypedArray>().TypedArrayType() == napi_int32_array;
  return narrow ? compress<std::int32_t>(info, given, std::move(borrowed))
                : compress<double>(info, given, std::move(borrowed));
}

}  // namespace gemmine::binding
