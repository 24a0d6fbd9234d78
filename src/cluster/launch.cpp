#include "cluster/launch.h"

#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "base/fail.h"
#include "base/text.h"
#include "sluice/process.h"

namespace sluice {

namespace {

/// A number that the launcher gave, or 0.
int number_from(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* const value = std::getenv(name);
    if (value != nullptr) return std::atoi(value);
  }
  return 0;
}

std::filesystem::path module_path() {
  Dl_info info{};
  dladdr(reinterpret_cast<const void*>(&launched_ranks), &info);
  return std::filesystem::path(info.dli_fname).parent_path() / "sluice" / "sluice_mpi.so";
}

}  // namespace

// Open MPI, MPICH and Intel MPI, or Slurm with PMIx.

int launched_rank() {
  return number_from({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"});
}

int launched_ranks() {
  const int count = number_from({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"});
  const bool by_pmix = std::getenv("PMIX_RANK") != nullptr;
  return count == 0 && by_pmix ? number_from({"SLURM_NTASKS"}) : count;
}

void use_all_cores(char** argv) {
  const int ranks_here = number_from({"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"});
  // A user who names a policy wants it.
  if (ranks_here == 0 || std::getenv("OMPI_MCA_hwloc_base_binding_policy") != nullptr) return;
  cpu_set_t bound;
  if (sched_getaffinity(0, sizeof(bound), &bound) != 0) return;
  cpu_set_t all;
  CPU_ZERO(&all);
  for (int core = 0; core < CPU_SETSIZE; ++core) CPU_SET(core, &all);
  if (sched_setaffinity(0, sizeof(all), &all) != 0) return;
  sched_getaffinity(0, sizeof(all), &all);  // the system leaves out those that are not allowed
  const int cores = CPU_COUNT(&all);
  if (std::getenv("OMP_NUM_THREADS") == nullptr) {
    setenv("OMP_NUM_THREADS", std::to_string(std::max(1, cores / ranks_here)).c_str(), 1);
  } else if (cores == CPU_COUNT(&bound)) {
    return;
  }
  std::error_code none;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", none);
  // OpenMP has read the old ones.
  if (!none) execv(program.c_str(), argv);
}

std::unique_ptr<Wire> join_ranks() {
  if (launched_ranks() < 2) return nullptr;
  const std::filesystem::path path = module_path();
  void* const module = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (module == nullptr) {
    std::error_code none;
    if (!std::filesystem::exists(path, none)) {
      throw user_error("cluster",
                       "mpirun started {} ranks, and this Sluice was built without MPI: build it "
                       "where libopenmpi-dev is installed, or start it without mpirun",
                       launched_ranks());
    }
    throw machine_error("cluster", "cannot load MPI: {}", dlerror());
  }
  using Join = Wire*();
  auto* const join = reinterpret_cast<Join*>(dlsym(module, "sluice_join_mpi"));
  if (join == nullptr) {
    throw machine_error("cluster", "{} is of another version", path_text(path));
  }
  try {
    return std::unique_ptr<Wire>(join());
  } catch (const std::exception& error) {
    throw machine_error("cluster", "cannot start MPI: {}", error.what());
  }
}

}  // namespace sluice
