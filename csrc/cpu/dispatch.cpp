// Picks the instruction set at run time. The choice is the only state of the core.
#include <atomic>
#include <cstring>

#include "kernels.hpp"

namespace geolatent {
namespace {

struct Level {
  const char* name;
  const Kernels& (*kernels)();
};

#ifdef GEOLATENT_X86
const Level levels[] = {{"baseline", kernels_baseline}, {"v3", kernels_v3}, {"v4", kernels_v4}};

int best() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return 2;
  return __builtin_cpu_supports("x86-64-v3") ? 1 : 0;
}
#else
const Level levels[] = {{"baseline", kernels_baseline}};

int best() { return 0; }
#endif

std::atomic<int>& chosen() {
  static std::atomic<int> level{best()};
  return level;
}

}  // namespace

const Kernels& kernels() { return levels[chosen().load(std::memory_order_relaxed)].kernels(); }

const char* isa() { return levels[chosen().load(std::memory_order_relaxed)].name; }

int isa_count() { return best() + 1; }

const char* isa_name(int i) { return levels[i].name; }

bool use_isa(const char* name) {
  for (int i = 0; i < isa_count(); ++i)
    if (std::strcmp(levels[i].name, name) == 0) {
      chosen().store(i, std::memory_order_relaxed);
      return true;
    }
  return false;
}

}  // namespace geolatent
