// takePacked(corpus, page, pages, checksums, control): copies packed rows, for a file
#include "binding/packed_rows.h"

#include <atomic>
#include <cmath>

#include "binding/corpus_handle.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "core/checksum.h"
#include "core/living_rows.h"
#include "core/pool.h"

namespace gemmine::binding {
namespace {

constexpr int largest_exponent = 1100;

Index pages_of(Index rows) { return (rows + page_rows - 1) / page_rows; }

Index sums_of(Index pages) { return (pages + packed_at_once - 1) / packed_at_once; }

std::uint64_t sum_of(std::span<const float> pages, Index page_floats, Index sum) {
  const Index all = std::ssize(pages) / page_floats;
  const Index begin = sum * packed_at_once;
  const Index count = std::min(packed_at_once, all - begin);
  return checksum({pages.data() + begin * page_floats, count, page_floats, page_floats});
}

std::uint32_t low_of(std::uint64_t sum) { return static_cast<std::uint32_t>(sum); }
std::uint32_t high_of(std::uint64_t sum) { return static_cast<std::uint32_t>(sum >> 32); }

}  // namespace

void PackedRows::check(const Job& job) const {
  const Index sums = std::ssize(checksums) / 2;
  std::atomic<Index> wrong = sums;
  parallel_for(job, sums, [&](Index sum, Index) {
    const std::uint64_t found = sum_of(pages, page_bytes / Index{sizeof(float)}, sum);
    if (low_of(found) == checksums[2 * sum] && high_of(found) == checksums[2 * sum + 1]) return;
    for (Index least = wrong; sum < least && !wrong.compare_exchange_weak(least, sum);) continue;
  });
  if (wrong < sums)
    throw InvalidElement("corpus.pages", static_cast<double>(wrong * packed_at_once),
                         "packed rows with their checksum from this page on");
}

std::optional<PackedRows> read_packed(const Napi::Object& options, Index rows, Index cols,
                                      Borrowed& borrowed) {
  const Napi::Value given = options.Get("packed");
  if (given.IsUndefined()) return std::nullopt;
  const Napi::Object from = read_object(given, "packed");
  const auto exponent = read<double>(from, "exponent");
  if (!(std::abs(exponent) <= largest_exponent) || exponent != std::floor(exponent))
    refuse(options.Env(), "an exponent", "packed.exponent");
  PackedRows packed{
      .format = read<std::string>(from, "format"),
      .centre = read_span<float>(from.Get("centre"), "packed.centre", borrowed),
      .exponent = static_cast<int>(exponent),
      .pages = read_span<float>(from.Get("pages"), "packed.pages", borrowed),
      .checksums = read_span<std::uint32_t>(from.Get("checksums"), "packed.checksums", borrowed),
      .page_bytes = read<Index>(from, "pageBytes")};
  const Index page_floats = packed.page_bytes / Index{sizeof(float)};
  if (page_floats < 1 || packed.page_bytes % Index{sizeof(float)} != 0)
    refuse(options.Env(), "whole numbers", "packed.pageBytes");
  const Index count = pages_of(rows);
  check_length(options.Env(), "packed.centre", packed.centre.size(), cols, 1);
  check_length(options.Env(), "packed.pages", packed.pages.size(), count, page_floats);
  check_length(options.Env(), "packed.checksums", packed.checksums.size(), sums_of(count), 2);
  return packed;
}

Napi::Value TakePacked(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto corpus = held_corpus(info[0], borrowed);
  const auto packing = corpus ? corpus->handle->packing() : std::nullopt;
  if (!packing) refuse(info.Env(), "a corpus with packed rows", "corpus");
  const Index first = static_cast<Index>(info[1].ToNumber().Int64Value());
  const Index page_floats = packing->page_bytes / Index{sizeof(float)};
  const auto pages = read_span<float>(info[2], "pages", borrowed);
  const auto checksums = read_span<std::uint32_t>(info[3], "checksums", borrowed);
  const Index all = pages_of(corpus->source->rows->rows());
  const Index count = std::ssize(pages) / page_floats;
  if (first < 0 || first > all || count > all - first)
    refuse(info.Env(), "pages of the corpus", "page");
  check_length(info.Env(), "pages", pages.size(), count, page_floats);
  check_length(info.Env(), "checksums", checksums.size(), sums_of(count), 2);
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [=](const Job& job) {
        auto* const to = reinterpret_cast<std::byte*>(pages.data());
        parallel_for(job, std::ssize(checksums) / 2, [&](Index sum, Index) {
          const Index begin = sum * packed_at_once;
          corpus->handle->copy_packed(first + begin, std::min(packed_at_once, count - begin),
                                      to + begin * packing->page_bytes);
          const std::uint64_t found = sum_of(pages, page_floats, sum);
          checksums[2 * sum] = low_of(found);
          checksums[2 * sum + 1] = high_of(found);
        });
        return 0.0;
      },
      [](Napi::Env env, double seconds) { return Napi::Number::New(env, seconds); });
}

}  // namespace gemmine::binding
