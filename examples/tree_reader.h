// Bracketed trees from a file: word ids, or a treebank's labels and words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

struct Tree {
  std::vector<std::vector<std::int32_t>> children;  // by node, children before parents, the root last
  std::vector<std::int32_t> words;                  // by node; -1: none
};

class Vocabulary {
 public:
  // The word's id, a new one at its first appearance.
  std::int32_t id(const std::string& word) {
    return ids_.emplace(word, static_cast<std::int32_t>(ids_.size())).first->second;
  }
  void cover(std::int32_t id) { largest_ = std::max(largest_, id); }
  std::int64_t size() const {
    return std::max<std::int64_t>(static_cast<std::int64_t>(ids_.size()), largest_ + 1);
  }

 private:
  std::map<std::string, std::int32_t> ids_;
  std::int32_t largest_ = -1;
};

namespace tree_reader {

inline bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
}

struct Token {
  std::string text;  // "(", ")" or an atom
  std::size_t column;
};

inline std::vector<Token> tokens_of(const std::string& line) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
      ++i;
      continue;
    }
    const bool bracket = line[i] == '(' || line[i] == ')';
    const std::size_t end = bracket ? i + 1 : std::min(line.find_first_of("() \t\r", i), line.size());
    tokens.push_back({line.substr(i, end - i), i + 1});
    i = end;
  }
  return tokens;
}

// A treebank opens every bracket with a label, and a bracket with a label and one atom is a word. Ids have
// none: a bracket opens with a bracket somewhere, or all atoms are numbers.
inline bool is_treebank(const std::vector<std::vector<Token>>& lines) {
  bool words = false;
  for (const std::vector<Token>& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i].text == "(" && i + 1 < line.size() && line[i + 1].text == "(") return false;
      words = words || (line[i].text != "(" && line[i].text != ")" && !is_number(line[i].text));
    }
  }
  return words;
}

class Parser {
 public:
  Parser(bool treebank, Vocabulary& vocabulary) : treebank_(treebank), vocabulary_(vocabulary) {}

  // No recursion: trees may be deeper than the stack.
  Tree parse(const std::vector<Token>& tokens, const std::string& where) {
    const auto refuse = [&](std::size_t column, const std::string& what) {
      return std::runtime_error(where + ":" + std::to_string(column) + ": " + what);
    };
    struct Open {
      std::size_t column;
      std::vector<std::int32_t> children;
      std::vector<std::string> atoms;
    };
    Tree tree;
    std::vector<Open> open;
    std::int32_t root = -1;
    const auto add = [&](std::int32_t word, std::vector<std::int32_t> children) {
      tree.words.push_back(word);
      tree.children.push_back(std::move(children));
      const auto node = static_cast<std::int32_t>(tree.words.size()) - 1;
      if (open.empty())
        root = node;
      else
        open.back().children.push_back(node);
    };
    for (const Token& token : tokens) {
      if (root >= 0) throw refuse(token.column, "'" + token.text + "' after the end of the tree");
      if (token.text == "(") {
        open.push_back({token.column, {}, {}});
      } else if (token.text == ")") {
        if (open.empty()) throw refuse(token.column, "')' closes nothing");
        Open node = std::move(open.back());
        open.pop_back();
        const std::size_t atoms = node.atoms.size();
        if (treebank_ && (node.children.empty() ? atoms != 2 : atoms != 1)) {
          throw refuse(node.column, "a node is a label and a word, or a label and nodes");
        }
        if (node.children.empty() && !treebank_) throw refuse(node.column, "a node without children");
        if (node.children.empty())
          add(vocabulary_.id(node.atoms[1]), {});
        else
          add(-1, std::move(node.children));
      } else if (treebank_) {
        if (open.empty()) throw refuse(token.column, "'" + token.text + "' outside brackets");
        if (!open.back().children.empty()) throw refuse(token.column, "a label or word after nodes");
        open.back().atoms.push_back(token.text);
      } else {
        if (!is_number(token.text)) throw refuse(token.column, "'" + token.text + "' is no word id");
        const std::int32_t word = std::stoi(token.text);
        vocabulary_.cover(word);
        add(word, {});
      }
    }
    if (!open.empty()) throw refuse(open.back().column, "this '(' is never closed");
    return tree;
  }

 private:
  bool treebank_;
  Vocabulary& vocabulary_;
};

}  // namespace tree_reader

// Throws std::runtime_error with file, line and column of what is wrong.
inline std::vector<Tree> read_trees(const std::string& path, Vocabulary& vocabulary) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::vector<std::vector<tree_reader::Token>> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(tree_reader::tokens_of(line));
  tree_reader::Parser parser(tree_reader::is_treebank(lines), vocabulary);
  std::vector<Tree> trees;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].empty()) trees.push_back(parser.parse(lines[i], path + ":" + std::to_string(i + 1)));
  }
  if (trees.empty()) throw std::runtime_error(path + ": no tree in it");
  return trees;
}
