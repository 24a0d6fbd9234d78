#include "cli/options.h"
#include "cli/output.h"
#include "cli/own_data.h"
#include "cli/verbs.h"
#include "sluice/lab/report.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

void init(const std::string& place) {
  const OwnData own = load_own(place);
  const std::string file = write_experiment_for(own);
  print_out("\n{}\nwrote {}; train it with:\n  sluice train {} --data {}\n",
            distribution_text({own.data.train, own.data.class_names},
                              {own.data.test, own.data.class_names}),
            file, file, argument_text(own.place));
}

}  // namespace

void add_init(CLI::App& app) {
  auto* verb = app.add_subcommand("init", "Write an experiment for pictures of your own");
  verb->footer(R"(Writes NAME.toml into the current folder, with comments: the data, the size of
the network's input, a network and a training that fit the number of pictures,
and groups to fill in.

Examples:
  sluice init ~/pets
  sluice init labels.csv
  sluice train ~/pets               both steps in one)");
  const auto place = std::make_shared<std::string>();
  verb->add_option("FOLDER", *place,
                   "Folder of pictures in train/CLASS (and test, val) or\n"
                   "in CLASS, a CSV file, or arrays (.npz, .npy, idx)")
      ->required();
  verb->callback([place] { init(*place); });
}

}  // namespace sluice::cli
