// fingerprint(X or prepared corpus, control): 16 hexadecimal digits, a hash of the entries of X and
// their positions
#include "core/fingerprint.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "binding/corpus_handle.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "core/row_block.h"

namespace gemmine::binding {
namespace {

constexpr Index rows_at_once = 256;

std::string fingerprint(const RowSource& X, const Job& job) {
  RowScratch scratch;
  std::uint64_t all =
      combine(static_cast<std::uint64_t>(X.rows()), static_cast<std::uint64_t>(X.cols()));
  for (Index begin = 0; begin < X.rows(); begin += rows_at_once) {
    job.cancellation.check();
    const Index count = std::min(rows_at_once, X.rows() - begin);
    all = combine(all, fingerprint_of(X.block(begin, count, scratch)));
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(all));
  return digits;
}

}  // namespace

Napi::Value Fingerprint(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const std::shared_ptr<const Source> held = held_rows(info[0], borrowed);
  const std::shared_ptr<const Source> X = held ? held : read_source(info[0], borrowed);
  return run_job(
      info.Env(), info[1], std::move(borrowed),
      [X](const Job& job) {
        check_entries(*X);
        return fingerprint(*X->rows, job);
      },
      [](Napi::Env env, const std::string& digits) { return Napi::String::New(env, digits); });
}

}  // namespace gemmine::binding
