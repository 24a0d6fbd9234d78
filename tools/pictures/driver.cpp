// Reads pictures for check.py: sluice_pictures_driver MODE FILE...
//
// MODE is "whole", "stored" (without the EXIF orientation) or "HxW": read for this size, then
// resized to it. Prints "HEIGHT WIDTH\n" and R, G, B of each pixel for each file, or "0 0 WHY\n".

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "sluice/dataset.h"
#include "sluice/error.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: {} MODE FILE...\n", argv[0]);
    return 2;
  }
  const std::string mode = argv[1];
  sluice::ReadOptions options;
  options.exif_orientation = mode != "stored";
  std::sscanf(mode.c_str(), "%dx%d", &options.height, &options.width);
  for (int i = 2; i < argc; ++i) {
    try {
      sluice::Image image = sluice::read_image(argv[i], options);
      if (options.height > 0) image = sluice::resized(image, options.height, options.width);
      fmt::print("{} {}\n", image.height, image.width);
      std::fwrite(image.pixels.data(), 1, image.pixels.size(), stdout);
    } catch (const sluice::Error& error) {
      fmt::print("0 0 {}\n", error.what());
    }
  }
}
