#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/network.h"

#pragma GCC visibility push(default)

namespace sluice {

// Groups of classes that a network confuses, for the experts of a mixture. Use images that the
// network was not trained on, and never the test images: groups are a choice.

/// What a network takes images of each class for.
struct ClassConfusions {
  std::vector<std::string> class_names;
  std::vector<std::int64_t> counts;  ///< (true class, predicted class): images
  /// (true class, class): mean probability; each row has the sum 1. It has less noise than counts.
  std::vector<double> probabilities;

  int classes() const { return static_cast<int>(class_names.size()); }
  std::int64_t count(int truth, int predicted) const { return counts[place(truth, predicted)]; }
  /// How alike two classes are to the network: the mean of both directions' probabilities.
  double similarity(int a, int b) const;
  /// Place of a true class and another one in the tables.
  std::size_t place(int truth, int other) const {
    return static_cast<std::size_t>(truth) * class_names.size() + static_cast<std::size_t>(other);
  }
};

/// Predicts the examples. Throws Error (user) if a class has none of them, or they do not fit the
/// model.
ClassConfusions class_confusions(CompiledModel& model, const Examples& examples);

/// Classes that are joined, step by step, from the most alike on.
struct ClassTree {
  /// Node i below the number of classes is class i; the next ones are the joins in their order.
  struct Join {
    int first;
    int second;
    double similarity;  ///< mean over the pairs of their classes (average linkage); falls
  };
  std::vector<Join> joins;  ///< one fewer than classes
};
ClassTree class_tree(const ClassConfusions& confusions);

/// How find_groups() divides the classes.
enum class Clustering {
  agglomerative,  ///< cuts class_tree()
  spectral,       ///< Ng, Jordan and Weiss 2001: k-means of the similarities' first eigenvectors
};

/// Returns the number of groups at which the tree is cut best: from 2 to half of the classes, where
/// the similarity of the next join is the smallest part of that of the last one.
int number_of_groups(const ClassTree& tree);

/// Divides the classes into `count` groups, in the order of their first classes. They are named by
/// their classes: "cat-dog". Throws Error (user) for a count below 2, or above the number of
/// classes.
std::vector<Groups::Group> find_groups(const ClassConfusions& confusions, int count,
                                       Clustering clustering);

/// Adds to each group's `also` the classes of other groups whose images the network takes for one
/// of the group's classes with a mean probability of `share` or more; from above 0 up to 1. A gate
/// will send some of these to the group (Yan et al. 2015, arXiv 1410.0736). Throws Error (user) for
/// another share, and for groups that are not of these classes.
void add_overlaps(const ClassConfusions& confusions, double share,
                  std::vector<Groups::Group>& groups);

/// Errors of the network, by groups.
struct GroupErrors {
  struct Group {
    std::int64_t images = 0;
    std::int64_t inside = 0;  ///< errors: taken for another class of the group
    std::int64_t across = 0;  ///< errors: taken for a class of another group
  };
  std::vector<Group> groups;
  Group all;  ///< the sum
};
/// Throws Error (user) for groups that are not of these classes.
GroupErrors group_errors(const ClassConfusions& confusions,
                         const std::vector<Groups::Group>& groups);

}  // namespace sluice

#pragma GCC visibility pop
