#pragma once

#include <vector>

#include "backend/scans.h"

namespace gemmine {

using Asked = std::vector<const ScanQuery*>;

// Whether lists of the best rows alone answer the questions of a request.
bool is_plain(const ScanRequest& request);

// The questions that a scan answers. `few` gets those whose filters leave so few rows that scoring
// them takes less time; the choice depends on the request alone, so that all devices make the same.
Asked worth_a_scan(const ScanRequest& request, const Asked& all, Asked& few);

}  // namespace gemmine
