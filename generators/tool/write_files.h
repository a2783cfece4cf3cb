// Output folders: all files or none, and only those that changed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "generators/emit/library.h"
#include "support/result.h"

namespace cortex {

struct WriteReport {
  int written = 0, unchanged = 0, removed = 0;
};

// Writes `files` to `folder` (made if missing). A file whose text is already there keeps its time stamp;
// others replace the old ones by rename, after all of them have been written in full. `stale` says of a
// name in the folder and its first line whether it is an output of an earlier run, to be removed.
// On failure nothing that was there is changed, nothing new stays.
Result<WriteReport> write_files(
    const std::string& folder, const std::vector<OutputFile>& files,
    const std::function<bool(const std::string& name, const std::string& first_line)>& stale);

}  // namespace cortex
