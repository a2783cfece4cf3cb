#include "graph/compress/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "graph/problem/text.h"
#include "support/checked.h"

namespace cortex {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view magic("\x93NUMPY", 6);

template <typename T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float from_half(uint16_t h) {
  const int exponent = h >> 10 & 31;
  const double fraction = (h & 1023) / 1024.0;
  const double size = exponent == 0    ? std::ldexp(fraction, -14)
                      : exponent == 31 ? (fraction == 0 ? HUGE_VAL : NAN)
                                       : std::ldexp(1 + fraction, exponent - 15);
  return static_cast<float>(h & 0x8000 ? -size : size);
}

// The value of 'key' in the header, a Python literal: up to the comma or brace that ends it.
std::string_view value_of(std::string_view header, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const std::string name = fmt::format("{}{}{}:", quote, key, quote);
    const std::size_t at = header.find(name);
    if (at == std::string_view::npos) continue;
    std::string_view rest = header.substr(at + name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::size_t end = rest.substr(0, 1) == "(" ? rest.find(')') : rest.find_first_of(",}");
    return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
  }
  return {};
}

// "(3, 4," -> 3, 4
bool parse_shape(std::string_view text, std::vector<int64_t>& shape) {
  if (text.substr(0, 1) != "(") return false;
  text.remove_prefix(1);
  while (!text.empty()) {
    if (text.front() == ' ' || text.front() == ',') {
      text.remove_prefix(1);
      continue;
    }
    int64_t extent = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc{} || extent < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    if (text.substr(0, 1) == "L") text.remove_prefix(1);  // Python 2
    shape.push_back(extent);
  }
  return true;
}

std::string npy_header(const char* type, const std::vector<int64_t>& shape) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t before = 10, align = 64;
  header.append((align - (before + header.size() + 1) % align) % align, ' ');
  header += '\n';
  std::string out(magic);
  out += '\x01';
  out += '\x00';
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  return out + header;
}

}  // namespace

Result<NpyArray> parse_npy(std::string_view bytes, const std::string& source) {
  const auto refuse = [&](std::string_view why) {
    return invalid_argument(fmt::format("{}: {}", source, why));
  };
  if (bytes.substr(0, magic.size()) != magic || bytes.size() < 10)
    return refuse("not a NumPy array (numpy.save writes one)");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    return refuse(fmt::format("version {} of the format, 1 to 3 are known", version));
  const std::size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) return refuse("it ends within its header");
  const std::size_t length = version == 1 ? load<uint16_t>(&bytes[8]) : load<uint32_t>(&bytes[8]);
  if (bytes.size() - start < length) return refuse("it ends within its header");
  const std::string_view header = bytes.substr(start, length);

  NpyArray array;
  if (!parse_shape(value_of(header, "shape"), array.shape)) return refuse("its header has no shape");
  if (array.shape.size() > 32) return refuse(fmt::format("its shape has {} dimensions", array.shape.size()));
  if (value_of(header, "fortran_order") != "False")
    return refuse("it is in Fortran order: save numpy.ascontiguousarray of it");
  const std::string_view type = value_of(header, "descr");
  const std::size_t size = type == "'<f4'" ? 4 : type == "'<f8'" ? 8 : type == "'<f2'" ? 2 : 0;
  if (size == 0)
    return refuse(fmt::format("its elements are {}: float32, float64 or float16, little-endian, are read",
                              quoted(type)));
  int64_t count = 1;
  for (const int64_t extent : array.shape) {
    const auto product = checked_mul(count, extent);
    if (!product || !checked_mul(*product, 8)) return refuse("its shape overflows 64 bits");
    count = *product;
  }
  const std::string_view data = bytes.substr(start + length);
  if (data.size() != static_cast<std::size_t>(count) * size) {
    return refuse(fmt::format("shape ({}) needs {} bytes of data, the file has {}",
                              fmt::join(array.shape, ", "), static_cast<std::size_t>(count) * size,
                              data.size()));
  }
  array.values.reserve(static_cast<std::size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const char* at = data.data() + static_cast<std::size_t>(i) * size;
    const float v = size == 4   ? load<float>(at)
                    : size == 8 ? static_cast<float>(load<double>(at))
                                : from_half(load<uint16_t>(at));
    if (!std::isfinite(v)) return refuse(fmt::format("element {} is not a finite float32", i));
    array.values.push_back(v);
  }
  return array;
}

std::string to_npy(const std::vector<int64_t>& shape, const std::vector<float>& values) {
  std::string out = npy_header("<f4", shape);
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return out;
}

std::string to_npy(const std::vector<int64_t>& shape, const std::vector<int8_t>& values) {
  std::string out = npy_header("|i1", shape);
  out.append(reinterpret_cast<const char*>(values.data()), values.size());
  return out;
}

std::string to_npy(const std::vector<int64_t>& shape, const std::vector<int32_t>& values) {
  std::string out = npy_header("<i4", shape);
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int32_t));
  return out;
}

Result<FilterMatrix> filters_of(const NpyArray& array, const std::string& source) {
  const std::size_t rank = array.shape.size();
  if (rank < 2 || rank > 5) {
    return invalid_argument(
        fmt::format("{}: shape ({}): weights are [out][in] or [oc][ic] and one to three kernel sizes", source,
                    fmt::join(array.shape, ", ")));
  }
  if (array.values.empty())
    return invalid_argument(
        fmt::format("{}: shape ({}) has no weights", source, fmt::join(array.shape, ", ")));
  FilterMatrix w;
  w.rows = array.shape[0];
  w.channels = array.shape[1];
  w.columns = static_cast<int64_t>(array.values.size()) / w.rows;
  const int64_t taps = w.columns / w.channels;
  w.values.resize(array.values.size());
  for (int64_t r = 0; r < w.rows; ++r) {
    for (int64_t c = 0; c < w.channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap)
        w.at(r, tap * w.channels + c) =
            array.values[static_cast<std::size_t>((r * w.channels + c) * taps + tap)];
    }
  }
  return w;
}

std::vector<float> in_array_order(const FilterMatrix& w) {
  std::vector<float> values(w.values.size());
  const int64_t taps = w.columns / w.channels;
  for (int64_t r = 0; r < w.rows; ++r) {
    for (int64_t c = 0; c < w.channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap)
        values[static_cast<std::size_t>((r * w.channels + c) * taps + tap)] = w.at(r, tap * w.channels + c);
    }
  }
  return values;
}

}  // namespace cortex
