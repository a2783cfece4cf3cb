// Prints how many kernels the library has.
#include <cstdio>

#include "my_kernels.h"

int main() { std::printf("%d\n", static_cast<int>(my_kernels()->count)); }
