#include "ops/max_pooling2d.h"

#include <cstring>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

/// Sizes of one row of pools: `pools` pools of side `pool` with `lanes` values, in rows of `width`
/// pixels.
struct Row {
  std::size_t pool, pools, lanes, width;

  /// Offset of value i of the pool at `column`, from the beginning of its first row.
  std::size_t value(std::size_t column, std::size_t i) const {
    return (i / pool * width + column * pool + i % pool) * lanes;
  }
};

using Floats __attribute__((vector_size(16))) = float;
using Ints __attribute__((vector_size(16))) = std::int32_t;

// Memory is not aligned: channels need not be a multiple of four. (A type attribute would not help:
// template arguments lose attributes.)
template <class Value>
Value load(const void* from) {
  Value value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class Value>
void store(void* to, const Value& value) {
  std::memcpy(to, &value, sizeof value);
}

template <class Value, class Index>
void pool_lanes(const Row& row, std::size_t column, const float* src, float* dst,
                std::int32_t* where) {
  const auto value = [&](std::size_t i) { return load<Value>(src + row.value(column, i)); };
  Value largest = value(0);
  Index index{};
  for (std::size_t i = 1; i < row.pool * row.pool; ++i) {
    const Value next = value(i);
    const auto stays = (next <= largest) | (largest != largest);  // NaN propagates
    largest = stays ? largest : next;
    index = stays ? index : index - index + static_cast<std::int32_t>(i);
  }
  store(dst, largest);
  store(where, index);
}

template <class Value, class Index>
void unpool_lanes(const Row& row, std::size_t column, const float* diff_dst,
                  const std::int32_t* where, float* diff_src) {
  const auto gradient = load<Value>(diff_dst);
  const auto index = load<Index>(where);
  for (std::size_t i = 0; i < row.pool * row.pool; ++i) {
    store(diff_src + row.value(column, i),
          index == static_cast<std::int32_t>(i) ? gradient : Value{});
  }
}

SLUICE_VECTORISED void pool_row(const Row row, const float* src, float* dst, std::int32_t* where) {
  for (std::size_t column = 0; column < row.pools; ++column) {
    std::size_t lane = 0;
    for (; lane + 4 <= row.lanes; lane += 4, src += 4, dst += 4, where += 4) {
      pool_lanes<Floats, Ints>(row, column, src, dst, where);
    }
    for (; lane < row.lanes; ++lane, ++src, ++dst, ++where) {
      pool_lanes<float, std::int32_t>(row, column, src, dst, where);
    }
    src -= row.lanes;
  }
}

SLUICE_VECTORISED void unpool_row(const Row row, const float* diff_dst, const std::int32_t* where,
                                  float* diff_src) {
  for (std::size_t column = 0; column < row.pools; ++column) {
    std::size_t lane = 0;
    for (; lane + 4 <= row.lanes; lane += 4, diff_src += 4, diff_dst += 4, where += 4) {
      unpool_lanes<Floats, Ints>(row, column, diff_dst, where, diff_src);
    }
    for (; lane < row.lanes; ++lane, ++diff_src, ++diff_dst, ++where) {
      unpool_lanes<float, std::int32_t>(row, column, diff_dst, where, diff_src);
    }
    diff_src -= row.lanes;
  }
}

/// Calls body for every row of pools, with offsets into src or diff_src and dst or diff_dst.
template <class Body>
void for_each_row(const onednn::Planes& planes, std::size_t pool, const Body& body) {
  const std::size_t rows = planes.height / pool;
  const std::size_t src_row = planes.width * planes.lanes;
  const std::size_t dst_row = planes.width / pool * planes.lanes;
  parallel_for(planes.images * planes.blocks * rows, 8, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      body((i / rows * planes.height + i % rows * pool) * src_row, i * dst_row);
    }
  });
}

}  // namespace

MaxPooling2D::MaxPooling2D(Plan& plan, const dnnl::memory& src, int pool_size)
    : Op(src, {}), pool_(static_cast<std::size_t>(pool_size)), planes_(src) {
  auto dims = onednn::dims_of(src);
  if (dims.size() != 4 || dims[2] < pool_size || dims[3] < pool_size) {
    throw user_error("max_pooling2d", "a pool of {0}x{0} does not fit into {1}", pool_size,
                     image_text(dims));
  }
  dims[2] /= pool_size;
  dims[3] /= pool_size;
  dst_ = plan.take(onednn::layout(dims, planes_.tag));
  where_.resize(onednn::stored(dst_));
}

dnnl::memory MaxPooling2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool) {
  const auto diff_src = plan.take_gradient(src_.get_desc());
  diff_dst_ = onednn::data(diff_dst);
  diff_src_ = onednn::data(diff_src);
  return diff_src;
}

void MaxPooling2D::forward(onednn::Context&, const Pass&) {
  const Row row{pool_, planes_.width / pool_, planes_.lanes, planes_.width};
  for_each_row(planes_, pool_, [&](std::size_t src, std::size_t dst) {
    pool_row(row, onednn::data(src_) + src, onednn::data(dst_) + dst, &where_[dst]);
  });
}

void MaxPooling2D::backward_data(onednn::Context&) {
  const Row row{pool_, planes_.width / pool_, planes_.lanes, planes_.width};
  if (planes_.height % pool_ != 0 || planes_.width % pool_ != 0) {
    std::memset(diff_src_, 0, src_.get_desc().get_size());  // pixels outside every pooling window
  }
  for_each_row(planes_, pool_, [&](std::size_t src, std::size_t dst) {
    unpool_row(row, diff_dst_ + dst, &where_[dst], diff_src_ + src);
  });
}

}  // namespace sluice::ops
