// Convolution and its gradient with respect to the kernel on CPU, in float32, without patches.
//
// Arrays are channels last: inputs (images, height, width, channels), kernels (height, width, channels, filters). A tile
// of sums stays in registers: positions x filters in the convolution, channels x filters in the gradient. Every sum is
// added in an order that depends on the shapes alone, so results are the same for any number of threads. Windows of 3 x 3
// over many channels take Winograd's form (winograd.h).
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

#if defined(__AVX512F__)  // 32 registers of 16 floats
constexpr int LANES = 16, ACCUMULATORS = 28;
#elif defined(__AVX__)  // 16 registers of 8 floats
constexpr int LANES = 8, ACCUMULATORS = 12;
#else
constexpr int LANES = 4, ACCUMULATORS = 12;
#endif
constexpr int GROUP = 4;  // neighbouring positions with one pointer between them
constexpr int64_t LEAST_TASKS = 8, MOST_BLOCKS = 16;
constexpr int64_t BAND = 1 << 16;           // floats of inputs and outputs of a task, in the convolution
constexpr int64_t GRADIENT_BAND = 1 << 13;  // the same in the gradient, where they are read once per tile,
constexpr int64_t LEAST_PLACES = 128;       // but at least so many positions for a load and a store of the sums
constexpr int64_t MOST_SUMS = 1 << 22;      // floats of the gradient's sums, over all blocks
constexpr int64_t LEAST_COLUMNS = 56;

typedef float Vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

static inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
static inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
static int64_t divided(int64_t a, int64_t b) { return (a + b - 1) / b; }  // rounded up
static int64_t floored(int64_t a, int64_t b) { return a >= 0 ? a / b : -divided(-a, b); }
static int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }

// Memory that is not initialized; it grows and is kept.
class Memory {
 public:
  float* get(int64_t count) {
    if (count > size_) {
      std::free(data_);
      size_ = divided(count, 1024) * 1024;
      data_ = static_cast<float*>(std::aligned_alloc(64, size_ * sizeof(float)));
      if (!data_) throw std::bad_alloc();
    }
    return data_;
  }
  ~Memory() { std::free(data_); }

 private:
  float* data_ = nullptr;
  int64_t size_ = 0;
};
static thread_local Memory band_memory, upstream_memory;

// ---- tasks, run by the caller and by threads of XLA's pool

struct Work {
  std::function<void(int64_t)> task;
  int64_t count;
  std::atomic<int64_t> next{0}, done{0};
  std::mutex mutex;
  std::condition_variable finished;

  void run() {
    for (int64_t at; (at = next.fetch_add(1)) < count;) {
      task(at);
      if (done.fetch_add(1) + 1 == count) {
        std::lock_guard<std::mutex> lock(mutex);
        finished.notify_all();
      }
    }
  }
};

// Run all tasks. The caller waits only for tasks that a thread has begun, so a busy pool cannot block it.
static void parallel(ffi::ThreadPool& pool, int64_t count, std::function<void(int64_t)> task) {
  int64_t threads = std::min<int64_t>(pool.num_threads(), count);
  if (threads <= 1) {
    for (int64_t at = 0; at < count; ++at) task(at);
    return;
  }
  auto work = std::make_shared<Work>();
  work->task = std::move(task);
  work->count = count;
  for (int64_t helper = 1; helper < threads; ++helper) pool.Schedule([work] { work->run(); });
  work->run();
  std::unique_lock<std::mutex> lock(work->mutex);
  work->finished.wait(lock, [&] { return work->done.load() == count; });
}

// ---- geometry

struct Shape {
  int64_t images, height, width, channels, out_height, out_width, filters, window_height, window_width;
  int64_t stride_y, stride_x, pad_y, pad_x, input_dilation_y, input_dilation_x, dilation_y, dilation_x;
};

// Part of an image with the zeros around it.
struct Band {
  const float* data;
  int64_t row, column;  // of the image: where it begins
  int64_t pitch;        // floats from row to row
};

// Copy rows [top, bottom) and columns [left, right) of an image, with zeros outside it; `inside`: use it as it is.
static Band band_of(const float* image, const Shape& s, int64_t top, int64_t bottom, int64_t left, int64_t right,
                    bool inside, int64_t slack) {
  if (inside) return {image, 0, 0, s.width * s.channels};
  int64_t pitch = (right - left) * s.channels;
  float* out = band_memory.get((bottom - top) * pitch + slack);
  int64_t from = std::clamp<int64_t>(0, left, right), to = std::max(std::min(right, s.width), from);
  for (int64_t row = top; row < bottom; ++row, out += pitch) {
    if (row < 0 || row >= s.height) {
      std::memset(out, 0, pitch * sizeof(float));
      continue;
    }
    std::memset(out, 0, (from - left) * s.channels * sizeof(float));
    std::memcpy(out + (from - left) * s.channels, image + (row * s.width + from) * s.channels,
                (to - from) * s.channels * sizeof(float));
    std::memset(out + (to - left) * s.channels, 0, (right - to) * s.channels * sizeof(float));
  }
  std::memset(out, 0, slack * sizeof(float));
  return {out - (bottom - top) * pitch, top, left, pitch};
}

// ---- the convolution

// Adjacent entries of a window: where they begin, relative to the position, and how many floats they are.
struct Tap {
  int64_t row, column, length;
};

// The outputs that see the same entries of a window with zeros in between the inputs: every period-th, from `y`, `x` on.
struct Phase {
  int64_t y, x, height, width, first_tap, end_tap, first_weight;
};

struct Plan {
  int64_t period_y, period_x, step_y, step_x;  // outputs from one of a phase to the next, and inputs
  std::vector<Phase> phases;
  std::vector<Tap> taps;
  std::vector<std::pair<int64_t, int64_t>> places;  // of the window, in the order of taps
  int64_t weights;                                  // per filter
};

static Plan plan_of(const Shape& s) {
  Plan plan;
  plan.period_y = s.input_dilation_y / gcd(s.stride_y, s.input_dilation_y);
  plan.period_x = s.input_dilation_x / gcd(s.stride_x, s.input_dilation_x);
  plan.step_y = plan.period_y * s.stride_y / s.input_dilation_y;
  plan.step_x = plan.period_x * s.stride_x / s.input_dilation_x;
  bool adjacent = s.input_dilation_x == 1 && s.dilation_x == 1;
  for (int64_t y = 0; y < std::min(plan.period_y, s.out_height); ++y)
    for (int64_t x = 0; x < std::min(plan.period_x, s.out_width); ++x) {
      Phase phase{y, x, divided(s.out_height - y, plan.period_y), divided(s.out_width - x, plan.period_x)};
      phase.first_tap = plan.taps.size();
      phase.first_weight = plan.places.size() * s.channels;
      for (int64_t i = 0; i < s.window_height; ++i) {
        int64_t row = y * s.stride_y + i * s.dilation_y - s.pad_y;
        if (row % s.input_dilation_y) continue;
        for (int64_t j = 0; j < s.window_width; ++j) {
          int64_t column = x * s.stride_x + j * s.dilation_x - s.pad_x;
          if (column % s.input_dilation_x) continue;
          plan.places.push_back({i, j});
          if (adjacent && j)
            plan.taps.back().length += s.channels;
          else
            plan.taps.push_back({floored(row, s.input_dilation_y), floored(column, s.input_dilation_x), s.channels});
        }
      }
      phase.end_tap = plan.taps.size();
      plan.phases.push_back(phase);
    }
  plan.weights = plan.places.size() * s.channels;
  return plan;
}

// Filters [first, first + vectors * LANES), whose weights are adjacent in the packed kernel.
struct Filters {
  int64_t first, vectors;
};

static std::vector<Filters> filters_of(const Shape& s) {
  std::vector<Filters> blocks;
  for (int64_t first = 0; first < s.filters;) {
    blocks.push_back({first, s.filters - first > LANES ? 2 : 1});
    first += blocks.back().vectors * LANES;
  }
  return blocks;
}

static void pack(const float* kernel, const Shape& s, const Plan& plan, const std::vector<Filters>& blocks, float* packed) {
  for (auto& block : blocks) {
    float* to = packed + block.first * plan.weights;
    int64_t wide = block.vectors * LANES, valid = std::min(wide, s.filters - block.first);
    for (auto& [i, j] : plan.places)
      for (int64_t channel = 0; channel < s.channels; ++channel, to += wide) {
        std::memcpy(to, kernel + ((i * s.window_width + j) * s.channels + channel) * s.filters + block.first,
                    valid * sizeof(float));
        std::memset(to + valid, 0, (wide - valid) * sizeof(float));
      }
  }
}

// GROUP positions in a row, or fewer at the end of a short one.
struct Positions {
  const float* from;
  float* to;
  int64_t count;
};

struct Line {
  int64_t step, out_step, filters;         // floats from one position to the next; filters that are left
  std::vector<int64_t> offsets, lengths;   // of taps
};

template <int G, int V>
static void tile(const Positions* groups, const Line& line, const float* weights) {
  Vector sums[G][GROUP][V] = {};
  const int64_t step = line.step, step2 = 2 * step, step3 = 3 * step;
  for (size_t tap = 0; tap < line.offsets.size(); ++tap) {
    const float* at[G];
    for (int g = 0; g < G; ++g) at[g] = groups[g].from + line.offsets[tap];
    for (int64_t entry = line.lengths[tap]; entry > 0; --entry, weights += V * LANES) {
      Vector row[V];
      for (int v = 0; v < V; ++v) row[v] = load(weights + v * LANES);
#pragma GCC unroll 8
      for (int g = 0; g < G; ++g) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          sums[g][0][v] += at[g][0] * row[v];
          sums[g][1][v] += at[g][step] * row[v];
          sums[g][2][v] += at[g][step2] * row[v];
          sums[g][3][v] += at[g][step3] * row[v];
        }
        ++at[g];
      }
    }
  }
  for (int g = 0; g < G; ++g)
    for (int k = 0; k < groups[g].count; ++k)
      for (int v = 0; v < V; ++v) {
        float* to = groups[g].to + k * line.out_step + v * LANES;
        int64_t valid = line.filters - v * LANES;
        if (valid >= LANES)
          store(to, sums[g][k][v]);
        else if (valid > 0)
          std::memcpy(to, &sums[g][k][v], valid * sizeof(float));
      }
}

template <int V>
constexpr int MOST_GROUPS = std::max(1, ACCUMULATORS / V / GROUP);

template <int V>
static void tile_of(int count, const Positions* groups, const Line& line, const float* weights) {
#define CASE(N) \
  case N:       \
    if constexpr (N <= MOST_GROUPS<V>) return tile<N, V>(groups, line, weights); \
    break;
  switch (count) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) }
#undef CASE
}

// Compute columns [left, right) of rows [top, bottom) of a phase, for one block of filters.
template <int V>
static void outputs_of(const Shape& s, const Plan& plan, const Phase& phase, const Band& band, const Line& line,
                       const float* weights, float* out, int64_t top, int64_t bottom, int64_t left, int64_t right) {
  Positions groups[MOST_GROUPS<V>];
  int count = 0;
  for (int64_t y = top; y < bottom; ++y)
    for (int64_t x = left; x < right; x += GROUP) {
      int64_t first = right - x < GROUP ? std::max(left, right - GROUP) : x;  // the last group overlaps its neighbour
      groups[count++] = {band.data + y * plan.step_y * band.pitch + first * line.step,
                         out + ((phase.y + y * plan.period_y) * s.out_width + phase.x + first * plan.period_x) * s.filters,
                         std::min<int64_t>(GROUP, right - first)};
      if (count == MOST_GROUPS<V>) {
        tile_of<V>(count, groups, line, weights);
        count = 0;
      }
    }
  if (count) tile_of<V>(count, groups, line, weights);
}

static void convolve(ffi::ThreadPool& pool, const float* x, const float* kernel, float* out, const Shape& s) {
  const Plan plan = plan_of(s);
  if (plan.taps.empty()) {
    std::memset(out, 0, s.images * s.out_height * s.out_width * s.filters * sizeof(float));
    return;
  }
  const std::vector<Filters> blocks = filters_of(s);
  Memory memory;
  float* packed = memory.get(plan.weights * divided(s.filters, LANES) * LANES);
  pack(kernel, s, plan, blocks, packed);
  int64_t first_row = plan.taps[0].row, first_column = plan.taps[0].column, reach_y = first_row, reach_x = first_column;
  for (auto& tap : plan.taps) {
    first_row = std::min(first_row, tap.row), reach_y = std::max(reach_y, tap.row + 1);
    first_column = std::min(first_column, tap.column);
    reach_x = std::max(reach_x, tap.column + divided(tap.length, s.channels));
  }
  const int64_t height = plan.phases[0].height, width = plan.phases[0].width;  // the first phase is the largest
  const bool inside = first_row >= 0 && first_column >= 0 && reach_y + (height - 1) * plan.step_y <= s.height &&
                      reach_x + (width - 1) * plan.step_x <= s.width && plan.phases.back().width >= GROUP;
  // tasks: bands of rows, and of columns where rows are long
  const int64_t per_place = plan.step_x * plan.step_y * s.channels + plan.period_x * plan.period_y * s.filters;
  int64_t columns = std::max(LEAST_COLUMNS, BAND / 4 / per_place), strips = std::max<int64_t>(1, width / columns);
  int64_t rows = std::max<int64_t>(4, BAND / (per_place * std::min(width, columns)));
  if (s.images * strips * divided(height, rows) < LEAST_TASKS) {
    rows = divided(height, std::min(height, divided(LEAST_TASKS, s.images)));
    int64_t more = divided(LEAST_TASKS, s.images * divided(height, rows));
    strips = std::max(strips, std::min(more, std::max<int64_t>(1, width / LEAST_COLUMNS)));
  }
  columns = width / strips;
  const int64_t bands = divided(height, rows);

  parallel(pool, s.images * bands * strips, [&](int64_t task) {
    int64_t strip = task % strips, top = task / strips % bands * rows, image = task / strips / bands;
    int64_t bottom = std::min(top + rows, height), left = strip * columns;
    int64_t right = strip == strips - 1 ? width : left + columns;
    Band band = band_of(x + image * s.height * s.width * s.channels, s, first_row + top * plan.step_y,
                        reach_y + (bottom - 1) * plan.step_y, first_column + left * plan.step_x,
                        reach_x + (right - 1) * plan.step_x, inside, GROUP * plan.step_x * s.channels);
    for (auto& phase : plan.phases) {
      Line line{plan.step_x * s.channels, plan.period_x * s.filters, s.filters, {}, {}};
      for (int64_t tap = phase.first_tap; tap < phase.end_tap; ++tap) {
        line.offsets.push_back((plan.taps[tap].row - band.row) * band.pitch +
                               (plan.taps[tap].column - band.column) * s.channels);
        line.lengths.push_back(plan.taps[tap].length);
      }
      for (auto& block : blocks) {
        line.filters = s.filters - block.first;
        const float* weights = packed + block.first * plan.weights + phase.first_weight * block.vectors * LANES;
        float* to = out + image * s.out_height * s.out_width * s.filters + block.first;
        auto compute = block.vectors == 2 ? outputs_of<2> : outputs_of<1>;
        compute(s, plan, phase, band, line, weights, to, top, std::min(bottom, phase.height), left,
                std::min(right, phase.width));
      }
    }
  });
}

// ---- the gradient with respect to the kernel

// Where a tile reads and adds; steps are in floats.
struct Sweep {
  int64_t rows, columns, row_step, step, above_row_step, padded;
};

template <int R, int V>
static void sums(const float* x, const float* above, float* total, const Sweep& sweep) {
  Vector sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = load(total + r * sweep.padded + v * LANES);
  const int64_t step = sweep.step, padded = sweep.padded;
  for (int64_t y = 0; y < sweep.rows; ++y) {
    const float *a = x + y * sweep.row_step, *b = above + y * sweep.above_row_step;
    for (int64_t i = sweep.columns; i > 0; --i, a += step, b += padded) {
      Vector row[V];
      for (int v = 0; v < V; ++v) row[v] = load(b + v * LANES);
#pragma GCC unroll 32
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sum[r][v] += a[r] * row[v];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(total + r * sweep.padded + v * LANES, sum[r][v]);
}

template <int V>
constexpr int MOST_ENTRIES = std::min(24, ACCUMULATORS) / V;

template <int V>
static void sums_of(int64_t count, const float* x, const float* above, float* total, const Sweep& sweep) {
#define CASE(N) \
  case N:       \
    if constexpr (N <= MOST_ENTRIES<V>) return sums<N, V>(x, above, total, sweep); \
    break;
  switch (count) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
    CASE(13) CASE(14) CASE(15) CASE(16) CASE(17) CASE(18) CASE(19) CASE(20) CASE(21) CASE(22) CASE(23) CASE(24)
  }
#undef CASE
}

// Add to the sums of `length` adjacent entries of the window for all filters, in tiles of even sizes.
template <int V>
static void add_line(int64_t length, const float* x, const float* above, float* total, const Sweep& sweep) {
  int64_t pieces = divided(length, MOST_ENTRIES<V>), filter = 0;
  for (; filter + V * LANES <= sweep.padded; filter += V * LANES)
    for (int64_t piece = 0, at = 0, count; piece < pieces; ++piece, at += count) {
      count = divided(length - at, pieces - piece);
      sums_of<V>(count, x + at, above + filter, total + at * sweep.padded + filter, sweep);
    }
  if constexpr (V > 1)
    for (int64_t at = 0; filter < sweep.padded && at < length; at += MOST_ENTRIES<V>)
      sums_of<1>(std::min<int64_t>(MOST_ENTRIES<V>, length - at), x + at, above + filter,
                 total + at * sweep.padded + filter, sweep);
}

static void kernel_gradient(ffi::ThreadPool& pool, const float* x, const float* upstream, float* out, const Shape& s) {
  const bool adjacent = s.dilation_x == 1;
  const int64_t lines = s.window_height * (adjacent ? 1 : s.window_width);
  const int64_t length = s.channels * (adjacent ? s.window_width : 1);
  const int64_t padded = divided(s.filters, LANES) * LANES, size = lines * length * padded;
  // units of work: bands of rows (and of columns) of an image, small enough for the first cache
  const int64_t per_place = s.stride_y * s.stride_x * s.channels + padded;
  int64_t columns = std::max(LEAST_PLACES, GRADIENT_BAND / per_place), strips = std::max<int64_t>(1, s.out_width / columns);
  int64_t bands = divided(s.out_height, std::max<int64_t>(1, columns * strips / s.out_width));
  columns = s.out_width / strips;
  const int64_t rows = divided(s.out_height, bands);
  bands = divided(s.out_height, rows);
  const int64_t units = s.images * bands * strips;
  // tasks: blocks of units, each with its own sums, times parts of the window
  int64_t blocks = std::min({units, std::max<int64_t>(1, MOST_SUMS / size), MOST_BLOCKS});
  const int64_t per_block = divided(units, blocks);
  blocks = divided(units, per_block);
  const int64_t per_part = divided(lines, std::min(lines, divided(MOST_BLOCKS, blocks))), parts = divided(lines, per_part);
  Memory memory;
  float* totals = memory.get(blocks * size);
  const int64_t reach_y = (s.window_height - 1) * s.dilation_y + 1, reach_x = (s.window_width - 1) * s.dilation_x + 1;
  const bool inside = s.pad_y <= 0 && s.pad_x <= 0 && (s.out_height - 1) * s.stride_y + reach_y - s.pad_y <= s.height &&
                      (s.out_width - 1) * s.stride_x + reach_x - s.pad_x <= s.width;

  parallel(pool, blocks * parts, [&](int64_t task) {
    int64_t block = task / parts, first = task % parts * per_part, end = std::min(first + per_part, lines);
    float* total = totals + block * size;
    std::memset(total + first * length * padded, 0, (end - first) * length * padded * sizeof(float));
    for (int64_t unit = block * per_block; unit < std::min((block + 1) * per_block, units); ++unit) {
      int64_t strip = unit % strips, top = unit / strips % bands * rows, image = unit / strips / bands;
      int64_t bottom = std::min(top + rows, s.out_height), left = strip * columns;
      int64_t right = strip == strips - 1 ? s.out_width : left + columns;
      Band band = band_of(x + image * s.height * s.width * s.channels, s, top * s.stride_y - s.pad_y,
                          (bottom - 1) * s.stride_y + reach_y - s.pad_y, left * s.stride_x - s.pad_x,
                          (right - 1) * s.stride_x + reach_x - s.pad_x, inside, 0);
      Sweep sweep{bottom - top, right - left, s.stride_y * band.pitch, s.stride_x * s.channels, s.out_width * padded, padded};
      const float* above = upstream + ((image * s.out_height + top) * s.out_width + left) * s.filters;
      if (padded != s.filters) {  // copied, so that vectors end with zeros
        float* copy = upstream_memory.get(sweep.rows * sweep.columns * padded);
        for (int64_t row = 0, at = 0; row < sweep.rows; ++row)
          for (int64_t column = 0; column < sweep.columns; ++column, at += padded) {
            std::memcpy(copy + at, above + (row * s.out_width + column) * s.filters, s.filters * sizeof(float));
            std::memset(copy + at + s.filters, 0, (padded - s.filters) * sizeof(float));
          }
        above = copy;
        sweep.above_row_step = sweep.columns * padded;
      }
      for (int64_t line = first; line < end; ++line) {
        int64_t i = adjacent ? line : line / s.window_width, j = adjacent ? 0 : line % s.window_width;
        const float* from = band.data + (top * s.stride_y + i * s.dilation_y - s.pad_y - band.row) * band.pitch +
                            (left * s.stride_x + j * s.dilation_x - s.pad_x - band.column) * s.channels;
        auto add = padded > LANES ? add_line<2> : add_line<1>;
        add(length, from, above, total + line * length * padded, sweep);
      }
    }
  });
  const int64_t entries = lines * length, chunk = divided(entries, blocks * size > BAND ? LEAST_TASKS : 1);
  parallel(pool, divided(entries, chunk), [&](int64_t task) {
    for (int64_t entry = task * chunk; entry < std::min((task + 1) * chunk, entries); ++entry)
      for (int64_t filter = 0; filter < s.filters; filter += LANES) {
        const float* from = totals + entry * padded + filter;
        Vector total = load(from);
        for (int64_t block = 1; block < blocks; ++block) total += load(from + block * size);
        std::memcpy(out + entry * s.filters + filter, &total, std::min<int64_t>(LANES, s.filters - filter) * sizeof(float));
      }
  });
}

#include "channel_sums.h"
#include "winograd.h"

// ---- what XLA calls

using Array = ffi::Buffer<ffi::F32>;

template <void (*function)(ffi::ThreadPool&, const float*, const float*, float*, const Shape&)>
static ffi::Error call(ffi::ThreadPool pool, ffi::Span<const int64_t> numbers, Array left, Array right,
                       ffi::Result<Array> out) {
  Shape shape;
  if (numbers.size() * sizeof(int64_t) != sizeof(shape))
    return ffi::Error(ffi::ErrorCode::kInvalidArgument, "a shape has another number of sizes");
  std::memcpy(&shape, numbers.begin(), sizeof(shape));
  function(pool, left.typed_data(), right.typed_data(), out->typed_data(), shape);
  return ffi::Error::Success();
}

static Layout layout_of(Array& x) {
  int64_t channels = x.dimensions().back();
  return Layout(x.element_count() / channels, channels);
}

static ffi::Error call_moments(ffi::ThreadPool pool, Array x, ffi::Result<Array> mean, ffi::Result<Array> variance) {
  write_moments(pool, x.typed_data(), mean->typed_data(), variance->typed_data(), layout_of(x));
  return ffi::Error::Success();
}

static ffi::Error call_products(ffi::ThreadPool pool, Array a, Array b, ffi::Result<Array> sums,
                              ffi::Result<Array> products) {
  write_sums<Sum::PRODUCTS>(pool, a.typed_data(), b.typed_data(), sums->typed_data(), products->typed_data(), layout_of(a));
  return ffi::Error::Success();
}

static ffi::Error call_sums(ffi::ThreadPool pool, Array x, ffi::Result<Array> sums) {
  write_sums<Sum::NUMBERS>(pool, x.typed_data(), x.typed_data(), sums->typed_data(), nullptr, layout_of(x));
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(channel_sums, call_sums, ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array>().Ret<Array>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(channel_moments, call_moments,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array>().Ret<Array>().Ret<Array>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(channel_products, call_products,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array>().Arg<Array>().Ret<Array>().Ret<Array>());

#define CALL(name, function)                                                         \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name, call<function>,                                \
                                ffi::Ffi::Bind()                                     \
                                    .Ctx<ffi::ThreadPool>()                          \
                                    .Attr<ffi::Span<const int64_t>>("shape")         \
                                    .Arg<Array>()                                    \
                                    .Arg<Array>()                                    \
                                    .Ret<Array>())

CALL(convolution, convolve);
CALL(convolution_kernel_gradient, kernel_gradient);
CALL(convolution_winograd, winograd);
CALL(convolution_winograd_kernel_gradient, winograd_kernel_gradient);
