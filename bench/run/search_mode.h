// How Cortex's schedules are found.
#pragma once

namespace cortex::bench {

enum class SearchMode {
  estimate,    // what the model says
  measure,     // the fastest of the search's best few
  exhaustive,  // of many more, and of schedules drawn from the whole space
};

inline const char* search_mode_name(SearchMode mode) {
  return mode == SearchMode::estimate ? "estimate" : mode == SearchMode::measure ? "measure" : "exhaustive";
}

}  // namespace cortex::bench
