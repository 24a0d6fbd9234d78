#include "sluice/lab/class_groups.h"

#include <fmt/ranges.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "eval/outputs.h"

namespace sluice {

namespace {

/// Classes by group.
using Members = std::vector<std::vector<int>>;

/// Mean similarity of the pairs of two groups.
double mean_similarity(const ClassConfusions& confusions, const std::vector<int>& a,
                       const std::vector<int>& b) {
  double sum = 0;
  for (const int first : a) {
    for (const int second : b) sum += confusions.similarity(first, second);
  }
  return sum / static_cast<double>(a.size() * b.size());
}

/// Each class by itself.
Members single_classes(int classes) {
  Members members;
  for (int c = 0; c < classes; ++c) members.push_back({c});
  return members;
}

Members cut(const ClassTree& tree, int count) {
  Members nodes = single_classes(static_cast<int>(tree.joins.size()) + 1);
  const auto joins = nodes.size() - static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < joins; ++i) {
    const auto first = static_cast<std::size_t>(tree.joins[i].first);
    const auto second = static_cast<std::size_t>(tree.joins[i].second);
    std::vector<int> joined = std::move(nodes[first]);
    joined.insert(joined.end(), nodes[second].begin(), nodes[second].end());
    nodes[first].clear();
    nodes[second].clear();
    nodes.push_back(std::move(joined));
  }
  std::erase_if(nodes, [](const std::vector<int>& node) { return node.empty(); });
  return nodes;
}

/// Rows of the first eigenvectors of D^-1/2 A D^-1/2, of length 1.
Eigen::MatrixXd spectral_rows(const ClassConfusions& confusions, int count) {
  const int classes = confusions.classes();
  Eigen::MatrixXd similarities = Eigen::MatrixXd::Zero(classes, classes);
  for (int a = 0; a < classes; ++a) {
    for (int b = 0; b < classes; ++b) {
      if (a != b) similarities(a, b) = confusions.similarity(a, b);
    }
  }
  constexpr double kLeast = 1e-12;  // a class that is never confused
  const Eigen::VectorXd scale =
      similarities.rowwise().sum().cwiseMax(kLeast).cwiseSqrt().cwiseInverse();
  const Eigen::MatrixXd normalised = scale.asDiagonal() * similarities * scale.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(normalised);
  Eigen::MatrixXd rows = solver.eigenvectors().rightCols(count);
  for (int c = 0; c < classes; ++c) rows.row(c) /= std::max(rows.row(c).norm(), kLeast);
  return rows;
}

/// K-means that starts with the first row and then the row farthest from those before.
Members k_means(const Eigen::MatrixXd& rows, int count) {
  constexpr int kMostRounds = 100;
  const auto classes = static_cast<int>(rows.rows());
  Eigen::MatrixXd centres(count, rows.cols());
  Eigen::VectorXd distance =
      Eigen::VectorXd::Constant(classes, std::numeric_limits<double>::infinity());
  int next = 0;
  for (int k = 0; k < count; ++k) {
    centres.row(k) = rows.row(next);
    for (int c = 0; c < classes; ++c) {
      distance[c] = std::min(distance[c], (rows.row(c) - centres.row(k)).squaredNorm());
    }
    distance.maxCoeff(&next);
  }
  std::vector<int> nearest(static_cast<std::size_t>(classes), -1);
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<int> before = nearest;
    for (int c = 0; c < classes; ++c) {
      (centres.rowwise() - rows.row(c))
          .rowwise()
          .squaredNorm()
          .minCoeff(&nearest[static_cast<std::size_t>(c)]);
    }
    if (nearest == before) break;
    for (int k = 0; k < count; ++k) {
      Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(rows.cols());
      int members = 0;
      for (int c = 0; c < classes; ++c) {
        if (nearest[static_cast<std::size_t>(c)] != k) continue;
        sum += rows.row(c);
        ++members;
      }
      if (members > 0) centres.row(k) = sum / members;
    }
  }
  Members members(static_cast<std::size_t>(count));
  for (int c = 0; c < classes; ++c) {
    members[static_cast<std::size_t>(nearest[static_cast<std::size_t>(c)])].push_back(c);
  }
  std::erase_if(members, [](const std::vector<int>& group) { return group.empty(); });
  return members;
}

/// A name for files: without '/', and not too long.
std::string name_of_group(const std::vector<std::string>& classes) {
  constexpr std::size_t kLongest = 40;
  std::string name = fmt::format("{}", fmt::join(classes, "-"));
  if (name.size() > kLongest) {
    name = fmt::format("{}-and-{}-more", head(classes[0], kLongest), classes.size() - 1);
  }
  std::ranges::replace(name, '/', '_');
  return printable(name);
}

}  // namespace

double ClassConfusions::similarity(int a, int b) const {
  return (probabilities[place(a, b)] + probabilities[place(b, a)]) / 2;
}

ClassConfusions class_confusions(CompiledModel& model, const Examples& examples) {
  require_fit(model, examples);
  ClassConfusions confusions{examples.class_names(), {}, {}};
  const auto classes = static_cast<std::size_t>(confusions.classes());
  confusions.counts.resize(classes * classes);
  confusions.probabilities.resize(classes * classes);
  predict_in_batches(model, examples, [&](const Batch& batch, std::span<const float> outputs) {
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const auto of_image = outputs.subspan(i * classes, classes);
      const auto row = static_cast<std::size_t>(batch.labels[i]) * classes;
      ++confusions.counts[row + static_cast<std::size_t>(predicted_class(of_image))];
      const double sum = std::accumulate(of_image.begin(), of_image.end(), 0.0);
      for (std::size_t c = 0; sum > 0 && c < classes; ++c) {
        confusions.probabilities[row + c] += of_image[c] / sum;
      }
    }
  });
  for (std::size_t truth = 0; truth < classes; ++truth) {
    const auto row = std::span(confusions.probabilities).subspan(truth * classes, classes);
    const double images = std::accumulate(row.begin(), row.end(), 0.0);
    if (images == 0) {
      throw user_error("groups", "class '{}' has no image to see what it is taken for",
                       one_line(confusions.class_names[truth]));
    }
    for (double& each : row) each /= images;
  }
  return confusions;
}

ClassTree class_tree(const ClassConfusions& confusions) {
  Members nodes = single_classes(confusions.classes());
  ClassTree tree;
  std::set<int> open;  // nodes that are not joined
  for (int c = 0; c < confusions.classes(); ++c) open.insert(c);
  while (open.size() > 1) {
    ClassTree::Join best{0, 0, -1};
    for (const int a : open) {
      for (const int b : open) {
        if (b <= a) continue;
        const double similarity = mean_similarity(confusions, nodes[static_cast<std::size_t>(a)],
                                                  nodes[static_cast<std::size_t>(b)]);
        if (similarity > best.similarity) best = {a, b, similarity};
      }
    }
    open.erase(best.first);
    open.erase(best.second);
    open.insert(static_cast<int>(nodes.size()));
    std::vector<int> joined = nodes[static_cast<std::size_t>(best.first)];
    const std::vector<int>& second = nodes[static_cast<std::size_t>(best.second)];
    joined.insert(joined.end(), second.begin(), second.end());
    nodes.push_back(std::move(joined));
    tree.joins.push_back(best);
  }
  return tree;
}

int number_of_groups(const ClassTree& tree) {
  const auto classes = static_cast<int>(tree.joins.size()) + 1;
  int best = 2;
  double least = std::numeric_limits<double>::infinity();
  for (int count = 2; count <= std::max(2, classes / 2) && count < classes; ++count) {
    const auto next = static_cast<std::size_t>(classes - count);
    const double part = tree.joins[next].similarity / tree.joins[next - 1].similarity;
    if (part < least) {
      least = part;
      best = count;
    }
  }
  return best;
}

std::vector<Groups::Group> find_groups(const ClassConfusions& confusions, int count,
                                       Clustering clustering) {
  if (count < 2 || count > confusions.classes()) {
    throw user_error("groups", "{} groups of {} classes: must be from 2 to {}", count,
                     confusions.classes(), confusions.classes());
  }
  Members members = clustering == Clustering::spectral
                        ? k_means(spectral_rows(confusions, count), count)
                        : cut(class_tree(confusions), count);
  for (std::vector<int>& group : members) std::ranges::sort(group);
  std::ranges::sort(members);
  std::vector<Groups::Group> groups;
  for (const std::vector<int>& group : members) {
    std::vector<std::string> classes;
    for (const int c : group)
      classes.push_back(confusions.class_names[static_cast<std::size_t>(c)]);
    groups.push_back({name_of_group(classes), classes});
  }
  return groups;
}

void add_overlaps(const ClassConfusions& confusions, double share,
                  std::vector<Groups::Group>& groups) {
  if (!(share > 0 && share <= 1)) {
    throw user_error("groups", "a share of {} for overlaps: must be above 0 and at most 1", share);
  }
  const Groups of_classes(groups, confusions.class_names);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    groups[g].also.clear();
    for (int c = 0; c < confusions.classes(); ++c) {
      if (of_classes.of_class(c) == static_cast<int>(g)) continue;
      double taken = 0;
      for (int other = 0; other < confusions.classes(); ++other) {
        if (of_classes.of_class(other) != static_cast<int>(g)) continue;
        taken += confusions.probabilities[confusions.place(c, other)];
      }
      if (taken >= share) {
        groups[g].also.push_back(confusions.class_names[static_cast<std::size_t>(c)]);
      }
    }
  }
}

GroupErrors group_errors(const ClassConfusions& confusions,
                         const std::vector<Groups::Group>& groups) {
  const Groups of_classes(groups, confusions.class_names);
  GroupErrors errors;
  errors.groups.resize(groups.size());
  for (int truth = 0; truth < confusions.classes(); ++truth) {
    const int own = of_classes.of_class(truth);
    for (GroupErrors::Group* each : {&errors.groups[static_cast<std::size_t>(own)], &errors.all}) {
      for (int predicted = 0; predicted < confusions.classes(); ++predicted) {
        const std::int64_t images = confusions.count(truth, predicted);
        each->images += images;
        if (predicted == truth) continue;
        (of_classes.of_class(predicted) == own ? each->inside : each->across) += images;
      }
    }
  }
  return errors;
}

}  // namespace sluice
