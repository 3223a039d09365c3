// transpose(from, to, { rows, cols, size }, control): bytes of [cols × rows] into bytes of [rows ×
// cols]
#include "core/transpose.h"

#include <utility>
#include <variant>

#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"

namespace gemmine::binding {

Napi::Value Transpose(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto from = read_span<std::uint8_t>(info[0], "from", borrowed);
  const auto to = read_span<std::uint8_t>(info[1], "to", borrowed);
  const Napi::Object sides = read_object(info[2], "sides");
  const auto [rows, cols, size] = std::array{read<Index>(sides, "rows"), read<Index>(sides, "cols"),
                                             read<Index>(sides, "size")};
  const bool whole = size == 1 || size == 2 || size == 4 || size == 8;
  const auto misaligned = [&](const std::uint8_t* data) {
    return reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(size) != 0;
  };
  if (!whole || misaligned(from.data()) || misaligned(to.data()))
    refuse(info.Env(), "aligned elements of 1, 2, 4 or 8 bytes", "size");
  const auto length = static_cast<Index>(to.size());
  const bool fits = rows >= 1 && cols >= 1 && length % size == 0 && length / size % cols == 0 &&
                    length / size / cols == rows && from.size() == to.size();
  if (!fits) refuse(info.Env(), "as many bytes as rows and columns need", "to");
  return run_job(
      info.Env(), info[3], std::move(borrowed),
      [=](const Job& job) {
        transpose(reinterpret_cast<const std::byte*>(from.data()),
                  reinterpret_cast<std::byte*>(to.data()), rows, cols, size, job);
        return std::monostate();
      },
      [](Napi::Env env, std::monostate) { return env.Undefined(); });
}

}  // namespace gemmine::binding
