#include "graph/structure/bracketed.h"

#include <fmt/format.h>

#include <charconv>

#include "support/text_file.h"

namespace cortex {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// A byte as it may stand in a message.
std::string shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", byte);
}

}  // namespace

Status append_tree(std::string_view text, std::string_view source, int64_t line, Structures& trees) {
  const auto refuse = [&](size_t pos, std::string_view what) {
    return invalid_argument(fmt::format("{}:{}:{}: {}", source, line, pos + 1, what));
  };
  struct Open {
    size_t pos;          // of its bracket
    size_t first_child;  // in `done`
  };
  std::vector<Open> open;
  std::vector<int32_t> done;  // nodes whose parent is still open
  for (size_t pos = 0; pos < text.size();) {
    const char c = text[pos];
    if (is_blank(c)) {
      ++pos;
      continue;
    }
    if (open.empty() && !done.empty()) {
      return refuse(pos, fmt::format("{} after the end of the tree: write one tree a line", shown(c)));
    }
    if (c == '(') {
      open.push_back({pos++, done.size()});
    } else if (c == ')') {
      if (open.empty()) return refuse(pos, "')' closes nothing: a '(' is missing before it");
      const size_t first = open.back().first_child;
      if (first == done.size())
        return refuse(open.back().pos, "a node without children: write a leaf as its word id");
      const int32_t node =
          trees.add_node(Structures::no_word, done.data() + first, static_cast<int32_t>(done.size() - first));
      done.resize(first);
      done.push_back(node);
      open.pop_back();
      ++pos;
    } else {
      int32_t word = 0;
      const auto [end, ec] = std::from_chars(text.data() + pos, text.data() + text.size(), word);
      if (ec == std::errc::result_out_of_range) return refuse(pos, "the word id does not fit in 32 bits");
      if (ec != std::errc())
        return refuse(pos, fmt::format("{} where '(', ')' or a word id is expected", shown(c)));
      if (word < 0) return refuse(pos, fmt::format("word id {}: ids begin at 0", word));
      const auto after = static_cast<size_t>(end - text.data());
      if (after < text.size() && !is_blank(text[after]) && text[after] != '(' && text[after] != ')') {
        return refuse(after, fmt::format("{} inside a word id", shown(text[after])));
      }
      done.push_back(trees.add_node(word, nullptr, 0));
      pos = after;
    }
  }
  if (!open.empty()) return refuse(open.back().pos, "this '(' is never closed");
  if (done.empty()) return refuse(0, "no tree on the line");
  trees.end_structure(done.front());
  return Status::success();
}

Result<Structures> parse_trees(std::string_view text, std::string_view source) {
  Structures trees;
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);  // byte order mark
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') continue;
    if (Status s = append_tree(line, source, number, trees); !s) return s.error();
  }
  if (trees.structure_count() == 0)
    return invalid_argument(fmt::format("{}: no tree: write one a line", source));
  return trees;
}

Result<Structures> read_trees(const std::string& path) {
  Result<std::string> text = read_text_file(path);
  if (!text) return text.error();
  return parse_trees(*text, path);
}

}  // namespace cortex
