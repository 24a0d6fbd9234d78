#include <unistd.h>

#include <csignal>
#include <sstream>

#include "cli/mistakes.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/error.h"
#include "sluice/process.h"
#include "sluice/version.h"

namespace sluice::cli {

namespace {

constexpr int kMachineFault = 1;
constexpr int kUserFault = 2;

constexpr const char* kExamples = R"(Examples:
  sluice train experiments/lab.toml       the whole lab, with pictures
  sluice predict runs/lab cat.jpg         what is on a picture, and who said so
  sluice report runs/lab                  a page of it, to open or to pass on
  sluice evaluate runs/lab                every model on the test images
  sluice export runs/lab                  files for Keras, or ONNX Runtime
  sluice train experiments/lab.toml --set train.epochs=2 --data builtin
  sluice VERB --help                      more on each

Data is looked for in --data, $SLUICE_DATA, the cache of an earlier download, a
download of CIFAR-10, and where there is none the built-in images are drawn.
A run remembers its own.
Exit codes: 0 done, 1 the machine's or our mistake, lost output too, 2 yours,
130 Ctrl-C, 143 SIGTERM, 129 a closed terminal.)";

int failed(std::string_view message, int code) {
  flush_out();
  complain(message);
  return code;
}

/// After a verb that did its work: what it printed must have arrived.
int finished() {
  flush_out();
  const std::string fault = output_fault();
  return fault.empty() ? 0 : failed(fault, kMachineFault);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{
      "Sluice trains mixtures of experts on pictures, and tells whether the mixture\n"
      "was worth it.",
      "sluice"};
  app.set_version_flag("--version", "sluice " + version());
  app.footer(kExamples);
  app.get_formatter()->column_width(28);
  app.require_subcommand(0, 1);
  add_train(app);
  add_evaluate(app);
  add_predict(app);
  add_explain(app);
  add_report(app);
  add_export(app);
  add_import(app);
  add_summary(app);
  add_data(app);
  add_bench(app);
  refuse_empty_values(app);

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
    return failed(stop.what(), 128 + stop.signal());
  } catch (const Error& error) {
    return failed(error.what(), error.fault() == Fault::user ? kUserFault : kMachineFault);
  } catch (const std::bad_alloc&) {
    return failed("out of memory: close other programs, or lower train.batch_size", kMachineFault);
  } catch (const std::exception& error) {
    return failed(error.what(), kMachineFault);
  }
}

}  // namespace sluice::cli

int main(int argc, char** argv) {
  sluice::cli::open_standard_streams();
  sluice::restart_with_short_waits(argv);
  sluice::watch_for_interrupt([](int signal) {
    sluice::cli::complain(sluice::Interrupted(signal).what());
    ::_exit(128 + signal);
  });
  // Both are errors that write() tells: a file larger than allowed, a pipe that nobody reads.
  for (const int signal : {SIGXFSZ, SIGPIPE}) std::signal(signal, SIG_IGN);
  return sluice::cli::run(argc, argv);
}
