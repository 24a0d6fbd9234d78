#pragma once

#include <fmt/format.h>
#include <zlib.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// Files for tests, as NumPy, Python and tar write them.

/// Returns a number in `bytes` bytes, little-endian.
inline std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i & 0xFF);
  return text;
}

inline std::string make_npy(std::string_view type, std::string_view shape, std::string_view data) {
  const std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}\n", type, shape);
  return fmt::format("\x93NUMPY\x01{}{}{}{}", '\0', little_endian(header.size(), 2), header, data);
}

/// Compresses as gzip (window 31) or as a raw stream (-15).
inline std::string deflated(std::string_view bytes, int window) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
inline std::string gzip(std::string_view bytes) {
  return deflated(bytes, 31);
}

inline std::string make_zip(const std::map<std::string, std::string>& files, bool deflates) {
  std::string all;
  std::string directory;
  for (const auto& [name, content] : files) {
    const std::string packed = deflates ? deflated(content, -15) : content;
    const std::string sizes = little_endian(packed.size(), 4) + little_endian(content.size(), 4) +
                              little_endian(name.size(), 2);
    const std::string common =
        little_endian(20, 2) + little_endian(0, 2) + little_endian(deflates ? 8 : 0, 2) +
        little_endian(0, 4) +
        little_endian(crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                            static_cast<uInt>(content.size())),
                      4) +
        sizes;
    directory += "PK\1\2" + little_endian(20, 2) + common + little_endian(0, 12) +
                 little_endian(all.size(), 4) + name;
    all += "PK\3\4" + common + little_endian(0, 2) + name + packed;
  }
  return all + directory + "PK\5\6" + little_endian(0, 4) + little_endian(files.size(), 2) +
         little_endian(files.size(), 2) + little_endian(directory.size(), 4) +
         little_endian(all.size(), 4) + little_endian(0, 2);
}

inline std::string make_tar(const std::vector<std::pair<std::string, std::string>>& files) {
  constexpr std::size_t kBlock = 512;
  std::string all;
  for (const auto& [name, content] : files) {
    std::string header = name;
    header.resize(100);
    header += fmt::format("{:07o}", 0644);
    header.resize(124);
    header += fmt::format("{:011o}", content.size());
    header.resize(148);
    header += "        0";
    header.resize(kBlock);
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    header.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
    all += header + content;
    all.resize((all.size() + kBlock - 1) / kBlock * kBlock);
  }
  return all + std::string(2 * kBlock, '\0');
}

inline std::string make_idx(const std::vector<unsigned>& sides, std::string_view bytes) {
  std::string file{'\0', '\0', '\x08', static_cast<char>(sides.size())};
  for (const unsigned side : sides) {
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(side >> shift & 0xFF);
  }
  return file.append(bytes);
}

/// Returns a pickle as those of CIFAR's batches, which Python 2 wrote with protocol 2. `pixels` are
/// (labels, 3072), and `key` is "labels" or "fine_labels".
inline std::string make_cifar_pickle(const std::vector<int>& labels, std::string_view pixels,
                                     std::string_view key = "labels") {
  const auto text = [](std::string_view word) {
    return fmt::format("U{}{}", static_cast<char>(word.size()), word);
  };
  std::string list = "]q\5(";
  for (const int label : labels) list += fmt::format("K{}", static_cast<char>(label));
  std::string names = "](";
  for (std::size_t i = 0; i < labels.size(); ++i) names += text(fmt::format("{}.png", i));
  const std::string array =
      "cnumpy.core.multiarray\n_reconstruct\nq\7cnumpy\nndarray\nq\x08K" + std::string(1, '\0') +
      "\x85q\x09" + text("b") + "q\x0a\x87q\x0bRq\x0c(K\1M" + little_endian(labels.size(), 2) +
      "M" + little_endian(3072, 2) + "\x86q\x0d" + "cnumpy\ndtype\nq\x0e" + text("u1") + "q\x0fK" +
      std::string(1, '\0') + "K\1\x87q\x10Rq\x11(K\3" + text("|") +
      "q\x12NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK" + std::string(1, '\0') + "tq\x13" + "b\x89T" +
      little_endian(pixels.size(), 4) + std::string(pixels) + "q\x14tq\x15" + "b";
  return "\x80\2}q\1(" + text("batch_label") + "q\2" + text("training batch 1 of 5") + "q\3" +
         text(key) + "q\4" + list + "e" + text("data") + "q\6" + array + text("filenames") +
         "q\x16" + names + "eu.";
}

}  // namespace sluice
