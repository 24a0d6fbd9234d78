#include <unistd.h>

#include <csignal>
#include <mutex>
#include <sstream>

#include "cli/mistakes.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/error.h"
#include "sluice/lab/run.h"
#include "sluice/process.h"
#include "sluice/version.h"

namespace sluice::cli {

namespace {

constexpr int kMachineFault = 1;
constexpr int kUserFault = 2;

constexpr const char* kExamples = R"(Examples:
  sluice train experiments/lab.toml       train the whole lab
  sluice init ~/pets                      experiment for your own pictures
  sluice predict runs/lab cat.jpg         class of a picture, and its expert
  sluice report runs/lab                  report of a run as a page
  sluice evaluate runs/lab                accuracy of every model
  sluice export runs/lab                  files for Keras or ONNX Runtime
  sluice train experiments/lab.toml --set train.epochs=2 --data builtin
  sluice VERB --help                      help of each verb

Sluice uses the first data that it finds: --data, $SLUICE_DATA, an earlier
download, a new download of CIFAR-10, or built-in images. A run records the
place of its data.
Exit codes: 0 success, 1 failure of the machine or of Sluice, or lost output,
2 mistake of the user, 130 Ctrl-C, 143 SIGTERM, 129 closed terminal.)";

int failed(std::string_view message, int code) {
  flush_out();
  complain(message);
  return code;
}

/// For a verb that one process does.
void refuse_ranks() {
  if (Cluster::launched_ranks() < 2) return;
  throw Error(Fault::user, "cluster",
              "only `sluice train` and `sluice frontier` use several ranks: start the others "
              "without mpirun");
}

/// Says that a signal ends the program, if the other thread that ends it does not already. Returns
/// the exit code.
int stopped(const Interrupted& stop) {
  static std::once_flag said;
  std::call_once(said, complain, stop.what());
  return 128 + stop.signal();
}

/// Returns the exit code of a verb that succeeded: 0 if its output was not lost.
int finished() {
  flush_out();
  const std::string fault = output_fault();
  return fault.empty() ? 0 : failed(fault, kMachineFault);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{
      "Sluice trains mixtures of experts for image classification, and measures\n"
      "whether the mixture was worth it.",
      "sluice"};
  app.set_version_flag("--version", "sluice " + version());
  app.footer(kExamples);
  app.get_formatter()->column_width(28);
  app.require_subcommand(0, 1);
  add_init(app);
  add_train(app);
  add_evaluate(app);
  add_predict(app);
  add_explain(app);
  add_groups(app);
  add_frontier(app);
  add_report(app);
  add_export(app);
  add_import(app);
  add_summary(app);
  add_data(app);
  add_bench(app);
  refuse_empty_values(app);
  for (CLI::App* verb : app.get_subcommands({})) {
    const std::string name = verb->get_name();
    if (name != "train" && name != "frontier") verb->parse_complete_callback(refuse_ranks);
  }

  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) throw CLI::CallForHelp();
    return finished();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help and --version
      std::ostringstream text;
      app.exit(error, text, text);
      write_out(text.str());
      return finished();
    }
    return failed(mistake_in(app, error), kUserFault);
  } catch (const Interrupted& stop) {
    flush_out();
    return stopped(stop);
  } catch (const Error& error) {
    return failed(error.what(), error.fault() == Fault::user ? kUserFault : kMachineFault);
  } catch (const std::bad_alloc&) {
    return failed("out of memory: close other programs, or lower train.batch_size", kMachineFault);
  } catch (const std::exception& error) {
    return failed(error.what(), kMachineFault);
  }
}

/// For a verb that has not ended by itself after a while.
void end(int signal) {
  ::_exit(stopped(Interrupted(signal)));
}

}  // namespace sluice::cli

int main(int argc, char** argv) {
  sluice::cli::open_standard_streams();
  sluice::cli::silence(sluice::Cluster::launched_rank() > 0);
  sluice::use_all_cores(argv);
  sluice::restart_with_short_waits(argv);
  sluice::watch_for_interrupt(sluice::cli::end);
  // Without these signals write() returns an error: for a file that is too large, and for a closed
  // pipe.
  for (const int signal : {SIGXFSZ, SIGPIPE}) std::signal(signal, SIG_IGN);
  return sluice::cli::run(argc, argv);
}
