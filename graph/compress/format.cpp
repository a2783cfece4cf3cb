#include "graph/compress/format.h"

#include <fmt/format.h>

#include <charconv>

namespace cortex {
namespace {

// "nm" 2 "of" 4 "x" 2: takes words and numbers from the front.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool word(std::string_view w) {
    if (text_.substr(0, w.size()) != w) return false;
    text_.remove_prefix(w.size());
    return true;
  }
  bool number(int& value, int most) {
    const char* end = text_.data() + text_.size();
    const auto [at, error] = std::from_chars(text_.data(), end, value);
    if (error != std::errc{} || value < 1 || value > most) return false;
    text_.remove_prefix(static_cast<std::size_t>(at - text_.data()));
    return true;
  }
  bool done() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace

double WeightFormat::density() const {
  return structure == WeightStructure::nm ? static_cast<double>(n) / m : 1;
}

Result<WeightFormat> parse_weight_format(std::string_view text) {
  Reader read(text);
  WeightFormat f;
  const auto refuse = [&](std::string_view why) {
    return invalid_argument(
        fmt::format("weight format '{}': {}; formats are dense, nm{{N}}of{{M}}[x{{T}}], cc{{alpha}}, "
                    "bs{{rows}}x{{cols}}, unstructured",
                    text, why));
  };
  if (text == "dense") return f;
  if (text == "unstructured") {
    f.structure = WeightStructure::unstructured;
    return f;
  }
  if (read.word("nm")) {
    f.structure = WeightStructure::nm;
    if (!read.number(f.n, format_max_group) || !read.word("of") || !read.number(f.m, format_max_group))
      return refuse(fmt::format("N and M are numbers from 1 to {}", format_max_group));
    if (read.word("x") && !read.number(f.t, format_max_share))
      return refuse(fmt::format("T is a number from 1 to {}", format_max_share));
    if (f.n > f.m) return refuse("N of M keeps at most M");
  } else if (read.word("cc")) {
    f.structure = WeightStructure::combined;
    if (!read.number(f.alpha, format_max_group))
      return refuse(fmt::format("alpha is a number from 1 to {}", format_max_group));
  } else if (read.word("bs")) {
    f.structure = WeightStructure::blocks;
    if (!read.number(f.rows, format_max_group) || !read.word("x") || !read.number(f.cols, format_max_group))
      return refuse(fmt::format("rows and cols are numbers from 1 to {}", format_max_group));
  } else {
    return refuse("no such format");
  }
  if (!read.done()) return refuse("something follows it");
  return f;
}

std::string to_string(const WeightFormat& f) {
  switch (f.structure) {
    case WeightStructure::dense:
      return "dense";
    case WeightStructure::nm:
      return f.t == 1 ? fmt::format("nm{}of{}", f.n, f.m) : fmt::format("nm{}of{}x{}", f.n, f.m, f.t);
    case WeightStructure::combined:
      return fmt::format("cc{}", f.alpha);
    case WeightStructure::blocks:
      return fmt::format("bs{}x{}", f.rows, f.cols);
    case WeightStructure::unstructured:
      return "unstructured";
  }
  return "?";
}

}  // namespace cortex
