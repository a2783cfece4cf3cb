// A model's text, a line at a time: words, numbers and sizes, and where the first mistake is.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/recursive/model.h"
#include "support/result.h"

namespace cortex::recursive {

// What a case has computed so far, by name.
using Names = std::map<std::string, int, std::less<>>;

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool next_line();  // without its comment; statements never span lines
  bool at_end();
  int line() const { return line_; }

  // What is here, skipping blanks; false or "" where it is not.
  bool eat(char c);
  bool next_is(char c);
  bool expect(char c);
  std::string word();
  std::string peek_word();
  bool at_number();
  bool integer(int64_t& n);
  bool number(double& n);              // one that is finite as a float
  bool size(Size& size);               // 4h, n*h, 2
  bool dims(std::vector<Size>& dims);  // [4h][h]

  // Everything from here on is read again.
  std::string_view mark() const { return rest_; }
  void back_to(std::string_view mark) { rest_ = mark; }

  // The first one counts. Returns false, or -1 where a value is asked for.
  bool fail(const std::string& what);
  int fail_value(const std::string& what);
  const Error& error() const { return error_; }

 private:
  void skip();

  std::string_view text_, rest_, whole_;
  std::size_t offset_ = 0;
  int line_ = 0;
  Error error_;
};

}  // namespace cortex::recursive
