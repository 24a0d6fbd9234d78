// Mutates safetensors files: mostly inside the header or inside the buffer, and then corrects the
// header's length. A wrong length ends the reading at once, and nearly every plain mutation makes
// it wrong.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  constexpr std::size_t kLength = sizeof(std::uint64_t);
  constexpr std::size_t kRoom = 64;  // space for a part to grow
  if (size < kLength || size + kRoom > max_size || seed % 8 == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::uint64_t length = 0;
  std::memcpy(&length, data, kLength);
  std::uint8_t* const buffer = data + kLength + std::min<std::uint64_t>(length, size - kLength);
  std::vector<std::uint8_t> header(data + kLength, buffer);
  std::vector<std::uint8_t> values(buffer, data + size);
  std::vector<std::uint8_t>& part = seed % 4 == 1 ? values : header;
  const std::size_t before = part.size();
  part.resize(before + max_size - size);
  part.resize(LLVMFuzzerMutate(part.data(), before, part.size()));
  length = header.size();
  std::memcpy(data, &length, kLength);
  std::copy(header.begin(), header.end(), data + kLength);
  std::copy(values.begin(), values.end(), data + kLength + header.size());
  return kLength + header.size() + values.size();
}
