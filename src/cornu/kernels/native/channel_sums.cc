// Statistics of each channel over all positions of an array (positions, channels).
//
// An array is read once, by tasks that take consecutive blocks of positions. Blocks and tasks depend on the shape alone,
// and their results are joined in order, so the number of threads does not change them.
#include <cmath>

#include "kernels.h"

constexpr int64_t BLOCK_FLOATS = 1 << 13, MOST_SUM_TASKS = 16;
constexpr int64_t LEAST_ROWS = 16;  // of a block: joining means of one or two positions each would add their rounding
constexpr int SUM_VECTORS = 4;
constexpr int64_t LEAST_WIDTH = SUM_VECTORS * LANES;

// What is summed: the numbers; squares of their distances from `b`, a row; the numbers, and their products with `b`.
enum class Sum { NUMBERS, SQUARES, PRODUCTS };

template <Sum WHAT, int V>
static void sum_columns(const float* a, const float* b, int64_t rows, int64_t width, float* first, float* second) {
  Vector one[V] = {}, two[V] = {}, row[V];
  for (int v = 0; v < V && WHAT == Sum::SQUARES; ++v) row[v] = load(b + v * LANES);
  for (int64_t i = 0; i < rows; ++i, a += width) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      Vector value = load(a + v * LANES);
      if constexpr (WHAT == Sum::SQUARES) {
        value -= row[v];
        two[v] += value * value;
      } else {
        one[v] += value;
        if constexpr (WHAT == Sum::PRODUCTS) two[v] += value * load(b + v * LANES);
      }
    }
    if constexpr (WHAT == Sum::PRODUCTS) b += width;
  }
  for (int v = 0; v < V; ++v) {
    if (first) store(first + v * LANES, one[v]);
    if (second) store(second + v * LANES, two[v]);
  }
}

// Sums over rows of `width` numbers, at least LANES.
template <Sum WHAT>
static void sum_rows(const float* a, const float* b, int64_t rows, int64_t width, float* first, float* second) {
  auto at = [&](int64_t column, auto compute) {
    compute(a + column, b ? b + column : b, rows, width, first ? first + column : first, second ? second + column : second);
  };
  int64_t column = 0;
  for (; column + LEAST_WIDTH <= width; column += LEAST_WIDTH) at(column, sum_columns<WHAT, SUM_VECTORS>);
  for (; column + LANES <= width; column += LANES) at(column, sum_columns<WHAT, 1>);
  if (column < width) at(width - LANES, sum_columns<WHAT, 1>);  // again, with its neighbours
}

// How an array is read: blocks of positions, and positions that are read as one wide row where there are few channels.
struct Layout {
  int64_t positions, channels, folded, width, per_block, per_task, tasks;
  Layout(int64_t positions, int64_t channels) : positions(positions), channels(channels) {
    folded = std::min(positions, divided(LEAST_WIDTH, channels));
    width = folded * channels;
    per_block = std::max(LEAST_ROWS, BLOCK_FLOATS / width) * folded;
    int64_t blocks = divided(positions, per_block);
    per_task = divided(blocks, std::min(blocks, MOST_SUM_TASKS)) * per_block;
    tasks = divided(positions, per_task);
  }
};

// Add the sums of one block to `first` and `second`, a number per channel each.
template <Sum WHAT>
static void sum_block(const Layout& layout, const float* a, const float* b, int64_t positions, float* scratch, float* first,
                      float* second) {
  const int64_t channels = layout.channels, rows = positions / layout.folded;
  float *one = scratch, *two = scratch + layout.width;
  if (rows) sum_rows<WHAT>(a, b, rows, layout.width, first ? one : nullptr, second ? two : nullptr);
  for (int64_t fold = 0; fold < layout.folded && rows; ++fold)
    for (int64_t c = 0; c < channels; ++c) {
      if (first) first[c] += one[fold * channels + c];
      if (second) second[c] += two[fold * channels + c];
    }
  for (int64_t position = rows * layout.folded; position < positions; ++position)
    for (int64_t c = 0; c < channels; ++c) {
      float value = a[position * channels + c];
      if (WHAT == Sum::SQUARES) second[c] += (value - b[c]) * (value - b[c]);
      if (WHAT != Sum::SQUARES) first[c] += value;
      if (WHAT == Sum::PRODUCTS) second[c] += value * b[position * channels + c];
    }
}

// Join means and sums of squared distances from them of two parts (Chan, Golub and LeVeque, 1983). The products are in
// an order in which large numbers, whose squares are infinite, meet no factor of zero, and infinite means stay so.
static void join(int64_t channels, float count, float* mean, float* squares, float more, const float* mean_more,
                 const float* squares_more) {
  const float part = more / (count + more);
  for (int64_t c = 0; c < channels; ++c) {
    float distance = mean_more[c] - mean[c];
    mean[c] += std::abs(mean[c]) < INFINITY ? distance * part : mean_more[c];
    squares[c] += squares_more[c] + distance * (distance * (count * part));
  }
}

void write_moments(const Pool& pool, const float* x, int64_t positions, int64_t channels, float* mean, float* variance) {
  const Layout layout(positions, channels);
  Memory memory;
  float* found = memory.get(layout.tasks * 2 * channels);
  parallel(pool, layout.tasks, [&](int64_t task) {
    float *means = found + task * 2 * channels, *squares = means + channels;
    float* scratch = band_memory.get(3 * layout.width + 2 * channels);
    float *row = scratch + 2 * layout.width, *block_squares = row + layout.width, *block_sums = block_squares + channels;
    std::memset(means, 0, 2 * channels * sizeof(float));
    const int64_t begin = task * layout.per_task, end = std::min(begin + layout.per_task, layout.positions);
    for (int64_t position = begin; position < end; position += layout.per_block) {
      const int64_t count = std::min(layout.per_block, end - position);
      const float* block = x + position * channels;
      std::memset(block_squares, 0, 2 * channels * sizeof(float));
      sum_block<Sum::NUMBERS>(layout, block, nullptr, count, scratch, block_sums, nullptr);
      for (int64_t fold = 0; fold < layout.folded; ++fold)
        for (int64_t c = 0; c < channels; ++c) row[fold * channels + c] = block_sums[c] / count;
      sum_block<Sum::SQUARES>(layout, block, row, count, scratch, nullptr, block_squares);
      join(channels, position - begin, means, squares, count, row, block_squares);
    }
  });
  std::memcpy(mean, found, channels * sizeof(float));
  std::memcpy(variance, found + channels, channels * sizeof(float));
  for (int64_t task = 1; task < layout.tasks; ++task) {
    const float* more = found + task * 2 * channels;
    const int64_t begin = task * layout.per_task;
    join(channels, begin, mean, variance, std::min(layout.per_task, layout.positions - begin), more, more + channels);
  }
  for (int64_t c = 0; c < channels; ++c) variance[c] /= layout.positions;
}

// Sums of `a`, and with PRODUCTS those of its products with `b`.
template <Sum WHAT>
static void write_all(const Pool& pool, const float* a, const float* b, float* sums, float* products,
                       const Layout& layout) {
  const int64_t channels = layout.channels;
  Memory memory;
  float* found = memory.get(layout.tasks * 2 * channels);
  parallel(pool, layout.tasks, [&](int64_t task) {
    float *first = found + task * 2 * channels, *second = first + channels;
    float* scratch = band_memory.get(2 * layout.width);
    std::memset(first, 0, 2 * channels * sizeof(float));
    const int64_t begin = task * layout.per_task, end = std::min(begin + layout.per_task, layout.positions);
    for (int64_t position = begin; position < end; position += layout.per_block)
      sum_block<WHAT>(layout, a + position * channels, b + position * channels, std::min(layout.per_block, end - position),
                      scratch, first, products ? second : nullptr);
  });
  std::memset(sums, 0, channels * sizeof(float));
  if (products) std::memset(products, 0, channels * sizeof(float));
  for (int64_t task = 0; task < layout.tasks; ++task)
    for (int64_t c = 0; c < channels; ++c) {
      sums[c] += found[task * 2 * channels + c];
      if (products) products[c] += found[(task * 2 + 1) * channels + c];
    }
}

void write_sums(const Pool& pool, const float* x, int64_t positions, int64_t channels, float* sums) {
  write_all<Sum::NUMBERS>(pool, x, x, sums, nullptr, Layout(positions, channels));
}

void write_products(const Pool& pool, const float* a, const float* b, int64_t positions, int64_t channels, float* sums,
                    float* products) {
  write_all<Sum::PRODUCTS>(pool, a, b, sums, products, Layout(positions, channels));
}
