#include "graph/recursive/cursor.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

namespace cortex::recursive {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }

template <typename Number>
bool convert(std::string_view& rest, Number& n) {
  const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), n);
  if (status != std::errc()) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

}  // namespace

bool Cursor::next_line() {
  if (offset_ >= text_.size()) return false;
  const std::size_t end = std::min(text_.find('\n', offset_), text_.size());
  rest_ = text_.substr(offset_, end - offset_);
  rest_ = rest_.substr(0, rest_.find('#'));
  whole_ = rest_;
  offset_ = end + 1;
  ++line_;
  return true;
}

void Cursor::skip() {
  while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
}

bool Cursor::at_end() {
  skip();
  return rest_.empty();
}

bool Cursor::fail(const std::string& what) {
  if (error_.message.empty()) {
    error_ = invalid_argument(
        fmt::format("model text, line {}, column {}: {}", line_, whole_.size() - rest_.size() + 1, what));
  }
  return false;
}

int Cursor::fail_value(const std::string& what) {
  fail(what);
  return -1;
}

bool Cursor::next_is(char c) {
  skip();
  return !rest_.empty() && rest_[0] == c;
}

bool Cursor::eat(char c) {
  if (!next_is(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool Cursor::expect(char c) { return eat(c) || fail(fmt::format("expected '{}'", c)); }

std::string Cursor::word() {
  skip();
  std::size_t n = 0;
  while (n < rest_.size() && (is_letter(rest_[n]) || (n > 0 && is_digit(rest_[n])))) ++n;
  std::string found(rest_.substr(0, n));
  rest_.remove_prefix(n);
  return found;
}

std::string Cursor::peek_word() {
  const std::string_view here = mark();
  std::string found = word();
  back_to(here);
  return found;
}

bool Cursor::at_number() {
  skip();
  return !rest_.empty() && (is_digit(rest_[0]) || rest_[0] == '-' || rest_[0] == '.');
}

bool Cursor::integer(int64_t& n) {
  skip();
  return convert(rest_, n);
}

bool Cursor::number(double& n) {
  skip();
  const std::string_view start = mark();
  if (convert(rest_, n) && std::abs(n) <= std::numeric_limits<float>::max()) return true;
  back_to(start);
  return fail("expected a number, finite as a 32-bit float");
}

bool Cursor::size(Size& size) {
  size = Size();
  const bool number = integer(size.factor);
  std::string name = word();
  if (name.empty()) return number || fail("expected a size");
  for (;;) {
    size.symbols.push_back(name);
    if (!eat('*')) return true;
    name = word();
    if (name.empty()) return fail("expected a size's name after '*'");
  }
}

bool Cursor::dims(std::vector<Size>& out) {
  while (eat('[')) {
    if (!size(out.emplace_back()) || !expect(']')) return false;
  }
  return !out.empty() || fail("expected [size]");
}

}  // namespace cortex::recursive
