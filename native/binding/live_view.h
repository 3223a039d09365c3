#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/living_rows.h"
#include "mining/mine.h"

namespace gemmine::binding {

// The rows of a corpus as a fresh corpus of the live ones has them, for scans that need them
// without gaps. Row numbers of arguments become places among the live rows, and those of answers
// numbers.
class LiveView {
 public:
  explicit LiveView(const RowSource& rows) : all_(rows) {
    if (const auto* living = dynamic_cast<const LivingRows*>(&rows)) live_.emplace(*living);
  }

  // False: nothing was changed, and places are numbers.
  bool is_changed() const { return live_.has_value(); }
  const RowSource& rows() const { return live_ ? static_cast<const RowSource&>(*live_) : all_; }
  // Refers to memory of this view. Called once.
  TopKOptions placed(const TopKOptions& options, Index queries);
  std::vector<std::int32_t> placed(std::span<const std::int32_t> starts) const;
  std::span<const std::int32_t> numbers() const { return live_->numbers(); }

 private:
  const RowSource& all_;
  std::optional<LiveRows> live_;
  std::vector<std::int32_t> starts_, rows_, self_;
};

}  // namespace gemmine::binding
