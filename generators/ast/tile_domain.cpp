#include "generators/ast/tile_domain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cortex {
namespace {

class Writer {
 public:
  Writer(const TileLoops& loops, const std::vector<int>& pack_depths) : loops_(loops), packs_(pack_depths) {
    for (int l = 0; l < depth(); ++l) declare(l);
  }

  TileDomain run() {
    TileDomain out;
    std::string domain = statement(depth(), -1);
    for (int p = 0; p < static_cast<int>(packs_.size()); ++p) domain += "; " + statement(at(packs_, p), p);
    out.schedule = fmt::format("{{ domain: \"{}{{ {} }}\"{} }}", parameters(), domain, child(tree(0, 0)));
    out.context = fmt::format("{}{{ : {} }}", parameters(), conjunction(context_));
    for (int l = 0; l < depth(); ++l) out.lengths.push_back(length(l));
    return out;
  }

 private:
  template <typename T> static const T& at(const std::vector<T>& v, int i) { return v[static_cast<std::size_t>(i)]; }
  const TileLoop& loop(int l) const { return at(loops_.loops, l); }
  int depth() const { return static_cast<int>(loops_.loops.size()); }

  static std::string conjunction(const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, " and "));
  }
  std::string parameters() const { return parameters_.empty() ? "" : fmt::format("[{}] -> ", fmt::join(parameters_, ", ")); }

  void parameter(const std::string& name, int64_t least, int64_t most) {
    parameters_.push_back(name);
    context_.push_back(fmt::format("{} <= {} <= {}", least, name, most));
  }

  // Names that stand for run-time numbers, and the constraints that loop l adds to the domain.
  void declare(int l) {
    const TileLoop& x = loop(l);
    const std::string i = fmt::format("i{}", l);
    std::vector<std::string>& c = constraints_.emplace_back();
    if (x.balanced) {
      std::string tiles = fmt::format("{}", *x.trips.rbegin());
      if (x.trips.size() > 1) {
        tiles = fmt::format("tiles{}", l);
        parameter(tiles, *x.trips.begin(), *x.trips.rbegin());
      }
      c.push_back(fmt::format("0 <= {} < {}", i, tiles));
      const int64_t extent = at(loops_.extent, x.dim);
      parameter(fmt::format("lo{}", l), 0, extent - 1);
      if (x.lens.size() > 1) parameter(fmt::format("len{}", l), *x.lens.begin(), *x.lens.rbegin());
      context_.push_back(fmt::format("lo{} + {} <= {}", l, balanced_length(l), extent));
      return;
    }
    const std::string from = low(x.parent);
    c.push_back(fmt::format("{} <= {}", from, i));
    for (const std::string& end : ends(x.parent, x.dim)) c.push_back(fmt::format("{} < {}", i, end));
    if (x.step > 1) c.push_back(fmt::format("({} - {}) mod {} = 0", i, from, x.step));
  }

  std::string balanced_length(int l) const {
    return loop(l).lens.size() > 1 ? fmt::format("len{}", l) : fmt::format("{}", *loop(l).lens.begin());
  }

  // First element of loop l's tile, and every bound the tile stops at.
  std::string low(int l) const { return l < 0 ? "0" : fmt::format("{}{}", loop(l).balanced ? "lo" : "i", l); }
  std::vector<std::string> ends(int l, int dim) const {
    if (l < 0) return {fmt::format("{}", at(loops_.extent, dim))};
    if (loop(l).balanced) return {fmt::format("lo{} + {}", l, balanced_length(l))};
    std::vector<std::string> all = ends(loop(l).parent, dim);
    all.push_back(fmt::format("i{} + {}", l, loop(l).step));
    return all;
  }

  std::string length(int l) const {
    const TileLoop& x = loop(l);
    if (x.balanced || x.lens.size() == 1) return "";
    std::string text;
    for (const std::string& end : ends(l, x.dim)) {
      const std::string here = fmt::format("{} - i{}", end, l);
      text = text.empty() ? here : fmt::format("min({}, {})", here, text);
    }
    return fmt::format("{}{{ S[{}] -> [{}] }}", parameters(), indices(depth()), text);
  }

  std::string indices(int count) const {
    std::vector<std::string> names;
    for (int l = 0; l < count; ++l) names.push_back(fmt::format("i{}", l));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  // Statement p (-1: the kernel) of `count` loops.
  std::string tuple(int count, int p) const {
    return fmt::format("{}[{}]", p < 0 ? std::string("S") : fmt::format("P{}", p), indices(count));
  }
  std::string statement(int count, int p) const {
    std::vector<std::string> all;
    for (int l = 0; l < count; ++l) all.insert(all.end(), at(constraints_, l).begin(), at(constraints_, l).end());
    return tuple(count, p) + (all.empty() ? "" : " : " + conjunction(all));
  }

  // Statements in the subtree that starts inside the `l` outermost loops with pack `p` (packs come in
  // order of depth): the kernel and every pack from p on.
  std::string members(int p) const {
    std::string text = tuple(depth(), -1);
    for (; p < static_cast<int>(packs_.size()); ++p) text += "; " + tuple(at(packs_, p), p);
    return text;
  }

  static std::string child(const std::string& tree) { return tree.empty() ? "" : ", child: {" + tree + "}"; }

  std::string tree(int l, int p) const {
    if (p < static_cast<int>(packs_.size()) && at(packs_, p) == l) {
      return fmt::format("sequence: [ {{ filter: \"{}{{ {} }}\" }}, {{ filter: \"{}{{ {} }}\"{} }} ]", parameters(),
                         tuple(l, p), parameters(), members(p + 1), child(tree(l, p + 1)));
    }
    if (l == depth()) return "";
    std::string map = fmt::format("{} -> [i{}]", tuple(depth(), -1), l);
    for (int q = p; q < static_cast<int>(packs_.size()); ++q) {
      map += fmt::format("; {} -> [i{}]", tuple(at(packs_, q), q), l);
    }
    return fmt::format("schedule: \"{}[{{ {} }}]\"{}", parameters(), map, child(tree(l + 1, p)));
  }

  const TileLoops& loops_;
  const std::vector<int>& packs_;
  std::vector<std::string> parameters_, context_;
  std::vector<std::vector<std::string>> constraints_;
};

}  // namespace

TileDomain tile_domain(const TileLoops& loops, const std::vector<int>& pack_depths) {
  return Writer(loops, pack_depths).run();
}

}  // namespace cortex
