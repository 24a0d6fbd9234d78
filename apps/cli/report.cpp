#include <fmt/format.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run.h"
#include "sluice/process.h"

namespace sluice::cli {

namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string data;
  std::string to;
};

/// Prints the results of an imported run.
class ImportedObserver : public RunObserver {
 public:
  bool should_stop() override {
    check_interrupt();
    return false;
  }
  DataEvents loading() override { return data_events(); }
  void on_note(const std::string& line) override { print_out("{}\n", line); }
  void on_results(const Results& results) override {
    print_out("\n{}\n", comparison_text(results));
  }
};

void report(const ReportOptions& options) {
  std::vector<RunFolder> runs;
  for (const std::string& path : options.runs) runs.push_back(RunFolder::open(path));
  for (const RunFolder& run : runs) {
    if (!run.imported() || (run.finished() && options.data.empty())) continue;
    ImportedObserver observer;
    evaluate_imported(run.path(), options.data, observer);
  }
  const bool one = runs.size() == 1;
  const std::filesystem::path to = !options.to.empty() ? std::filesystem::path(options.to)
                                   : one               ? runs[0].path() / "report.html"
                                                       : "comparison.html";
  require_replaceable(to, kPage);
  write_file(to, report_html(runs, check_interrupt));
  print_out("{}\n", to.string());
}

}  // namespace

void add_report(CLI::App& app) {
  auto* verb = app.add_subcommand("report", "Make a page of a run, or of several side by side");
  verb->footer(R"(The page is one file, which opens offline in any browser. It has the verdict,
accuracy and cost, error budget, confusion matrices, learning curves, and images
that the mixture fixed or broke. `sluice train` also makes it. An imported run
is evaluated first, on its own images or those of --data, and then has what a
trained run has: results.json, predictions.csv, figures.

Examples:
  sluice report runs/lab                           runs/lab/report.html
  sluice report runs/lab runs/lab2 runs/lab3       comparison.html
  sluice report runs/lab --to ~/lab.html
  sluice report runs/imported --data ~/pets)");
  const auto options = std::make_shared<ReportOptions>();
  verb->add_option("RUN", options->runs, "Folders of finished or imported runs, such as\nruns/lab")
      ->required();
  verb->add_option("--data", options->data, "Test images of an imported run")->type_name("DIR");
  verb->add_option("--to", options->to,
                   "File to write (default: RUN/report.html, or\n"
                   "comparison.html for several runs)")
      ->type_name("FILE");
  verb->callback([options] { report(*options); });
}

}  // namespace sluice::cli
