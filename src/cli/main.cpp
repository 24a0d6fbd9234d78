#include <fmt/format.h>

#include "cli/interrupt.h"
#include "cli/short_waits.h"
#include "cli/verbs.h"
#include "sluice/error.h"

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
Exit codes: 0 done, 1 the machine's or our mistake, 2 yours, 130 Ctrl-C.)";

int complain(const std::string& message, int code) {
  std::fflush(stdout);
  fmt::print(stderr, "sluice: {}\n", message);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  sluice::cli::wait_briefly(argv);
  CLI::App app{
      "Sluice trains mixtures of experts on pictures, and tells whether the mixture\n"
      "was worth it.",
      "sluice"};
  app.set_version_flag("--version", "sluice " SLUICE_VERSION);
  app.footer(kExamples);
  app.get_formatter()->column_width(28);
  app.require_subcommand(0, 1);
  sluice::cli::add_train(app);
  sluice::cli::add_evaluate(app);
  sluice::cli::add_predict(app);
  sluice::cli::add_explain(app);
  sluice::cli::add_report(app);
  sluice::cli::add_export(app);
  sluice::cli::add_import(app);
  sluice::cli::add_summary(app);
  sluice::cli::add_data(app);
  sluice::cli::add_bench(app);

  sluice::cli::watch_for_interrupt();
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) throw CLI::CallForHelp();
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    return complain(fmt::format("{} (sluice --help tells more)", error.what()), kUserFault);
  } catch (const sluice::cli::Interrupted& stop) {
    return complain(stop.what(), 128 + stop.signal());
  } catch (const sluice::Error& error) {
    return complain(error.what(),
                    error.fault() == sluice::Fault::user ? kUserFault : kMachineFault);
  } catch (const std::bad_alloc&) {
    return complain("out of memory: close other programs, or lower train.batch_size",
                    kMachineFault);
  } catch (const std::exception& error) {
    return complain(error.what(), kMachineFault);
  }
}
