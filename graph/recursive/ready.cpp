#include "graph/recursive/ready.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cortex::recursive {
namespace {

// `rows` are those of x; 0: the model declares its tables itself.
struct Ready {
  const char* name;
  const char* structure;
  const char* rows;
  const char* rest;
};

constexpr Ready models[] = {
    {"treefc", "structure tree\nchildren 2\n", nullptr, R"(
table X[v][h]
parameter W[h][2h]
parameter b[h]
state h[h]
leaf
  h = X[word]
node
  h = relu(W @ concat(child.h) + b)
output h
)"},
    {"treernn", "structure tree\nchildren any\n", "h", R"(
parameter U[h][h]
parameter b[h]
state h[h]
node
  x = INPUT
  h = tanh(U @ sum(child.h) + x + b)
output h
)"},
    {"treegru", "structure tree\nchildren any\n", "3h", R"(
parameter U[3h][h]
parameter b[3h]
state h[h]
node
  x = INPUT
  hs = sum(child.h)
  a = U[0:2h] @ hs
  r = sigmoid(a[0:h] + x[0:h] + b[0:h])
  z = sigmoid(a[h:2h] + x[h:2h] + b[h:2h])
  g = tanh(U[2h:3h] @ (r * hs) + x[2h:3h] + b[2h:3h])
  h = (1 - z) * g + z * hs
output h
)"},
    {"treelstm", "structure tree\nchildren any\n", "4h", R"(
parameter U[3h][h]
parameter U_f[h][h]
parameter b[4h]
state h[h]
state c[h]
node
  x = INPUT
  a = U @ sum(child.h)
  i = sigmoid(a[0:h] + x[0:h] + b[0:h])
  o = sigmoid(a[h:2h] + x[h:2h] + b[h:2h])
  u = tanh(a[2h:3h] + x[2h:3h] + b[2h:3h])
  f = sigmoid(U_f @ child.h + x[3h:4h] + b[3h:4h])
  c = i * u + sum(f * child.c)
  h = o * tanh(c)
output h c
)"},
    {"treelstm-nary", "structure tree\nchildren n\nsize n = 2\n", "4h", R"(
parameter U[3h][n*h]
parameter U_f[n*h][n*h]
parameter b[4h]
state h[h]
state c[h]
node
  x = INPUT
  hs = concat(child.h)
  a = U @ hs
  i = sigmoid(a[0:h] + x[0:h] + b[0:h])
  o = sigmoid(a[h:2h] + x[h:2h] + b[h:2h])
  u = tanh(a[2h:3h] + x[2h:3h] + b[2h:3h])
  F = U_f @ hs
  f = sigmoid(F[child] + x[3h:4h] + b[3h:4h])
  c = i * u + sum(f * child.c)
  h = o * tanh(c)
output h c
)"},
    {"mvrnn", "structure tree\nchildren 2\n", nullptr, R"(
table X[v][h]
table X_M[v][h][h]
parameter W[h][2h]
parameter b[h]
parameter W_M[h][2h]
parameter b_M[h][h]
state h[h]
state M[h][h]
leaf
  h = X[word]
  M = X_M[word]
node
  p = concat(child[0].h @ child[1].M, child[1].h @ child[0].M)
  h = tanh(W @ p + b)
  M = W_M @ concat(child[0].M, child[1].M) + b_M
output h M
)"},
    {"dagrnn", "structure dag\nchildren any\n", "h", R"(
parameter U[h][h]
parameter b[h]
state h[h]
node
  x = INPUT
  h = tanh(U @ sum(child.h) + x + b)
output h
)"},
    {"seqrnn", "structure sequence\nchildren 1\n", "h", R"(
parameter U[h][h]
parameter b[h]
state h[h]
node
  x = INPUT
  h = tanh(U @ child[0].h + x + b)
output h
)"},
    {"seqgru", "structure sequence\nchildren 1\n", "3h", R"(
parameter U[3h][h]
parameter b[3h]
state h[h]
node
  x = INPUT
  hs = child[0].h
  a = U[0:2h] @ hs
  r = sigmoid(a[0:h] + x[0:h] + b[0:h])
  z = sigmoid(a[h:2h] + x[h:2h] + b[h:2h])
  g = tanh(U[2h:3h] @ (r * hs) + x[2h:3h] + b[2h:3h])
  h = (1 - z) * g + z * hs
output h
)"},
    {"seqlstm", "structure sequence\nchildren 1\n", "4h", R"(
parameter U[4h][h]
parameter b[4h]
state h[h]
state c[h]
node
  x = INPUT
  a = U @ child[0].h
  i = sigmoid(a[0:h] + x[0:h] + b[0:h])
  f = sigmoid(a[h:2h] + x[h:2h] + b[h:2h])
  u = tanh(a[2h:3h] + x[2h:3h] + b[2h:3h])
  o = sigmoid(a[3h:4h] + x[3h:4h] + b[3h:4h])
  c = i * u + f * child[0].c
  h = o * tanh(c)
output h c
)"},
};

}  // namespace

std::vector<std::string> ready_models() {
  std::vector<std::string> names;
  for (const Ready& model : models) names.emplace_back(model.name);
  return names;
}

Result<std::string> ready_model(std::string_view name, bool features) {
  for (const Ready& model : models) {
    if (name != model.name) continue;
    if (features && !model.rows) {
      return invalid_argument(
          fmt::format("model {} has no variant with an input: its leaves read tables", name));
    }
    std::string text = fmt::format("model {}\n{}size h = 256\n", name, model.structure);
    text += features ? "size e = 256\n" : "size v = 1\n";
    if (model.rows && features) text += fmt::format("input w[e]\nparameter W[{}][e]", model.rows);
    if (model.rows && !features) text += fmt::format("table X[v][{}]", model.rows);
    text += model.rest;
    const std::string mark = "INPUT";
    if (const std::size_t at = text.find(mark); at != std::string::npos) {
      text.replace(at, mark.size(), features ? "W @ w" : "X[word]");
    }
    return text;
  }
  return invalid_argument(
      fmt::format("there is no ready model {}; there are {}", name, fmt::join(ready_models(), ", ")));
}

}  // namespace cortex::recursive
