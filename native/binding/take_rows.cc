// takeRows(corpus, options, rows, to, control): copies rows of a corpus, as float32, to `to`
#include <algorithm>

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "core/error.h"

namespace gemmine::binding {
namespace {

void take(const RowSource& from, std::span<const std::int32_t> rows, float* to, const Job& job) {
  RowScratch scratch;
  const Index cols = from.cols();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    job.cancellation.check();
    if (rows[i] < 0 || rows[i] >= from.rows())
      throw InvalidElement("rows[" + std::to_string(i) + "]", rows[i], "a row of the corpus");
    const RowBlock block = from.block(rows[i], 1, scratch);
    std::copy_n(block.dense.data, cols, to + static_cast<Index>(i) * cols);
  }
}

}  // namespace

Napi::Value TakeRows(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const CorpusArgument corpus(info[0], read_object(info[1], "options"), borrowed);
  const auto rows = read_span<std::int32_t>(info[2], "rows", borrowed);
  float* const to =
      read_array<float>(info[3], "to", static_cast<Index>(rows.size()), corpus.cols(), borrowed);
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [=](const Job& job) {
        return corpus.look_at_rows(
            job, [&](Scans&, const RowSource& from) { take(from, rows, to, job); });
      },
      [](Napi::Env env, double seconds) { return Napi::Number::New(env, seconds); });
}

}  // namespace gemmine::binding
