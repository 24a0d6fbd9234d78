// A module of its own, so that nothing else of Sluice needs MPI: src/cluster/launch.cpp loads it
// where mpirun started the program.

#include <mpi.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "cluster/wire.h"

namespace sluice {

namespace {

class MpiWire : public Wire {
 public:
  MpiWire() {
    int given = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &given);
    if (given < MPI_THREAD_SERIALIZED) {
      throw std::runtime_error("this MPI allows calls from one thread only");
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    std::vector<char> own(MPI_MAX_PROCESSOR_NAME);
    int length = 0;
    MPI_Get_processor_name(own.data(), &length);
    hosts_.resize(static_cast<std::size_t>(size_) * own.size());
    check(MPI_Allgather(own.data(), MPI_MAX_PROCESSOR_NAME, MPI_CHAR, hosts_.data(),
                        MPI_MAX_PROCESSOR_NAME, MPI_CHAR, MPI_COMM_WORLD));
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string host(int rank) const override {
    return &hosts_[static_cast<std::size_t>(rank) * MPI_MAX_PROCESSOR_NAME];
  }

  Ticket send(int to, int tag, std::span<const std::byte> bytes) override {
    const Ticket ticket = free_ticket();
    check(MPI_Isend(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, to, tag, MPI_COMM_WORLD,
                    &requests_[static_cast<std::size_t>(ticket)]));
    return ticket;
  }
  Ticket receive(int from, int tag, std::span<std::byte> bytes) override {
    const Ticket ticket = free_ticket();
    check(MPI_Irecv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, from, tag,
                    MPI_COMM_WORLD, &requests_[static_cast<std::size_t>(ticket)]));
    return ticket;
  }
  bool done(Ticket ticket) override {
    int is_done = 0;
    check(MPI_Test(&requests_[static_cast<std::size_t>(ticket)], &is_done, MPI_STATUS_IGNORE));
    return is_done != 0;
  }
  std::optional<Waiting> waiting(int from, int tag) override {
    int found = 0;
    MPI_Status status;
    check(MPI_Iprobe(from == kAny ? MPI_ANY_SOURCE : from, tag, MPI_COMM_WORLD, &found, &status));
    if (found == 0) return {};
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    return Waiting{status.MPI_SOURCE, static_cast<std::size_t>(bytes)};
  }
  void leave() override { MPI_Finalize(); }

 private:
  static void check(int code) {
    if (code == MPI_SUCCESS) return;
    std::vector<char> text(MPI_MAX_ERROR_STRING);
    int length = 0;
    MPI_Error_string(code, text.data(), &length);
    throw std::runtime_error(text.data());
  }

  /// MPI_Test makes the request of a finished message null.
  Ticket free_ticket() {
    std::size_t place = 0;
    while (place < requests_.size() && requests_[place] != MPI_REQUEST_NULL) ++place;
    if (place == requests_.size()) requests_.push_back(MPI_REQUEST_NULL);
    return static_cast<Ticket>(place);
  }

  int rank_ = 0;
  int size_ = 1;
  std::vector<char> hosts_;            ///< (ranks, MPI_MAX_PROCESSOR_NAME)
  std::vector<MPI_Request> requests_;  ///< by ticket
};

}  // namespace

}  // namespace sluice

/// Joins the ranks that mpirun started. The caller owns the result.
extern "C" __attribute__((visibility("default"))) sluice::Wire* sluice_join_mpi() {
  return std::make_unique<sluice::MpiWire>().release();
}
