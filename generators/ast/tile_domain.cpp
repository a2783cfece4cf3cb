#include "generators/ast/tile_domain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cortex {
namespace {

class Writer {
 public:
  Writer(const TileLoops& loops, int dim) : all_(loops), dim_(dim) {
    for (int l = 0; l < static_cast<int>(loops.loops.size()); ++l) {
      if (loop(l).dim == dim) out_.loops.push_back(l);
    }
  }

  TileDomain run() {
    for (const int l : out_.loops) declare(l);
    std::string domain = statement("S", out_.loops.size());
    for (std::size_t d = 1; d <= out_.loops.size(); ++d) {
      const int l = out_.loops[d - 1];
      if (!varies(l)) continue;
      out_.lengths[l] = length(l, d);
      domain += "; " + statement(fmt::format("L{}", l), d);
    }
    out_.schedule =
        fmt::format("{{ domain: \"{}{{ {} }}\"{} }}", parameters(), domain, child(tree(0, false)));
    out_.context = fmt::format("{}{{ : {} }}", parameters(), fmt::join(context_, " and "));
    return std::move(out_);
  }

 private:
  const TileLoop& loop(int l) const { return all_.loops[static_cast<std::size_t>(l)]; }
  bool varies(int l) const { return !loop(l).balanced && loop(l).lens.size() > 1; }
  int64_t extent() const { return all_.extent[static_cast<std::size_t>(dim_)]; }

  std::string parameters() const {
    return parameters_.empty() ? "" : fmt::format("[{}] -> ", fmt::join(parameters_, ", "));
  }
  void parameter(const std::string& name, int64_t least, int64_t most) {
    parameters_.push_back(name);
    context_.push_back(fmt::format("{} <= {} <= {}", least, name, most));
  }

  // Names that stand for run-time numbers, and the constraints that loop l adds to the domain.
  void declare(int l) {
    const TileLoop& x = loop(l);
    if (x.balanced) {
      std::string tiles = fmt::format("{}", *x.trips.rbegin());
      if (x.trips.size() > 1) {
        tiles = fmt::format("tiles{}", l);
        parameter(tiles, *x.trips.begin(), *x.trips.rbegin());
      }
      constraints_.push_back(fmt::format("0 <= i{} < {}", l, tiles));
      parameter(fmt::format("lo{}", l), 0, extent() - 1);
      if (x.lens.size() > 1) parameter(fmt::format("len{}", l), *x.lens.begin(), *x.lens.rbegin());
      context_.push_back(fmt::format("lo{} + {} <= {}", l, balanced_length(l), extent()));
      return;
    }
    std::string text = fmt::format("{} <= i{}", low(x.parent), l);
    for (const std::string& end : ends(x.parent)) text += fmt::format(" and i{} < {}", l, end);
    if (x.step > 1) text += fmt::format(" and (i{} - {}) mod {} = 0", l, low(x.parent), x.step);
    constraints_.push_back(text);
  }

  std::string balanced_length(int l) const {
    return loop(l).lens.size() > 1 ? fmt::format("len{}", l) : fmt::format("{}", *loop(l).lens.begin());
  }

  // First element of loop l's tile, and every bound the tile stops at.
  std::string low(int l) const { return l < 0 ? "0" : fmt::format("{}{}", loop(l).balanced ? "lo" : "i", l); }
  std::vector<std::string> ends(int l) const {
    if (l < 0) return {fmt::format("{}", extent())};
    if (loop(l).balanced) return {fmt::format("lo{} + {}", l, balanced_length(l))};
    std::vector<std::string> all = ends(loop(l).parent);
    all.push_back(fmt::format("i{} + {}", l, loop(l).step));
    return all;
  }

  std::string length(int l, std::size_t depth) const {
    std::string text;
    for (const std::string& end : ends(l)) {
      const std::string here = fmt::format("{} - i{}", end, l);
      text = text.empty() ? here : fmt::format("min({}, {})", here, text);
    }
    return fmt::format("{}{{ {} -> [{}] }}", parameters(), tuple(fmt::format("L{}", l), depth), text);
  }

  std::string tuple(const std::string& name, std::size_t depth) const {
    std::vector<std::string> indices;
    for (std::size_t d = 0; d < depth; ++d) indices.push_back(fmt::format("i{}", out_.loops[d]));
    return fmt::format("{}[{}]", name, fmt::join(indices, ", "));
  }
  std::string statement(const std::string& name, std::size_t depth) const {
    return tuple(name, depth) + " : " +
           fmt::format("{}", fmt::join(constraints_.begin(), constraints_.begin() + static_cast<int>(depth),
                                       " and "));
  }

  static std::string child(const std::string& tree) { return tree.empty() ? "" : ", child: {" + tree + "}"; }

  // S, and every L from `depth` loops inwards.
  std::vector<std::string> members(std::size_t depth) const {
    std::vector<std::string> all = {tuple("S", out_.loops.size())};
    for (std::size_t d = depth; d <= out_.loops.size(); ++d) {
      if (d > 0 && varies(out_.loops[d - 1])) all.push_back(tuple(fmt::format("L{}", out_.loops[d - 1]), d));
    }
    return all;
  }

  // The subtree inside the `depth` outermost loops; `measured`: its L stands before it already.
  std::string tree(std::size_t depth, bool measured) const {
    if (depth > 0 && !measured && varies(out_.loops[depth - 1])) {
      return fmt::format("sequence: [ {{ filter: \"{0}{{ {1} }}\" }}, {{ filter: \"{0}{{ {2} }}\"{3} }} ]",
                         parameters(), tuple(fmt::format("L{}", out_.loops[depth - 1]), depth),
                         fmt::join(members(depth + 1), "; "), child(tree(depth, true)));
    }
    if (depth == out_.loops.size()) return "";
    std::vector<std::string> map;
    for (const std::string& m : members(depth + 1))
      map.push_back(fmt::format("{} -> [i{}]", m, out_.loops[depth]));
    return fmt::format("schedule: \"{}[{{ {} }}]\"{}", parameters(), fmt::join(map, "; "),
                       child(tree(depth + 1, false)));
  }

  const TileLoops& all_;
  int dim_;
  TileDomain out_;
  std::vector<std::string> parameters_, context_, constraints_;
};

}  // namespace

TileDomain tile_domain(const TileLoops& loops, int dim) { return Writer(loops, dim).run(); }

}  // namespace cortex
