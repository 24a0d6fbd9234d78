#pragma once

#include <CLI/CLI.hpp>

namespace sluice::cli {

// Verbs of the command line. Each function adds one with its help, and runs it from CLI11's
// callback.
void add_init(CLI::App& app);
void add_train(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_predict(CLI::App& app);
void add_explain(CLI::App& app);
void add_groups(CLI::App& app);
void add_frontier(CLI::App& app);
void add_report(CLI::App& app);
void add_export(CLI::App& app);
void add_import(CLI::App& app);
void add_summary(CLI::App& app);
void add_data(CLI::App& app);
void add_bench(CLI::App& app);

}  // namespace sluice::cli
