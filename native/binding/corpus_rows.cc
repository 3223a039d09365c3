#include "binding/corpus_rows.h"

#include <algorithm>
#include <string>

#include "core/checksum.h"
#include "core/error.h"

namespace gemmine::binding {

std::shared_ptr<Source> owned(const Source& borrowed) {
  const auto source = std::make_shared<Source>();
  source->name = borrowed.name;
  source->place = borrowed.place;
  auto rows = std::make_unique<OwnedRows>(*borrowed.elements, source->name.c_str());
  source->owned_bytes = rows->bytes();
  source->rows = std::move(rows);
  return source;
}

RowChecksums::RowChecksums(const Source& source, Scans& scans, const Job& job)
    : sums_(scans.checksums(*source.rows, job)) {}

void RowChecksums::check(const Source& source, Scans& scans, const Job& job) const {
  const std::vector<std::uint64_t> now = scans.checksums(*source.rows, job);
  const auto [was, is] = std::ranges::mismatch(sums_, now);
  if (was == sums_.end()) return;
  const Index begin = (was - sums_.begin()) * checksum_rows;
  const Index end = std::min(begin + checksum_rows, source.rows->rows());
  throw Error(ErrorCode::changed, "Rows " + std::to_string(begin) + " to " +
                                      std::to_string(end - 1) + " of " + source.place +
                                      " changed after the corpus was prepared: prepare it again");
}

}  // namespace gemmine::binding
