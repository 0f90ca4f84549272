// What the native kernels share: vectors, memory, tasks for XLA's threads, shapes of convolutions.
//
// Tasks and the order of sums depend on shapes alone, so results are the same for any number of threads.
#pragma once

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

#if defined(__AVX512F__)  // 32 registers of 16 floats
constexpr int LANES = 16, ACCUMULATORS = 28;
#elif defined(__AVX__)  // 16 registers of 8 floats
constexpr int LANES = 8, ACCUMULATORS = 12;
#else
constexpr int LANES = 4, ACCUMULATORS = 12;
#endif
constexpr int64_t LEAST_TASKS = 8, MOST_BLOCKS = 16;
constexpr int64_t BAND = 1 << 16;       // floats of inputs and outputs of a task, in the convolution
constexpr int64_t MOST_SUMS = 1 << 22;  // floats of a gradient's sums, over all blocks

typedef float Vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
inline int64_t divided(int64_t a, int64_t b) { return (a + b - 1) / b; }  // rounded up

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
inline thread_local Memory band_memory, upstream_memory;

// ---- tasks, run by the caller and by threads of a pool

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

struct Pool {
  int64_t threads;
  std::function<void(std::function<void()>)> schedule;
};

// Run all tasks. The caller waits only for tasks that a thread has begun, so a busy pool cannot block it.
inline void parallel(const Pool& pool, int64_t count, std::function<void(int64_t)> task) {
  int64_t threads = std::min<int64_t>(pool.threads, count);
  if (threads <= 1) {
    for (int64_t at = 0; at < count; ++at) task(at);
    return;
  }
  auto work = std::make_shared<Work>();
  work->task = std::move(task);
  work->count = count;
  for (int64_t helper = 1; helper < threads; ++helper) pool.schedule([work] { work->run(); });
  work->run();
  std::unique_lock<std::mutex> lock(work->mutex);
  work->finished.wait(lock, [&] { return work->done.load() == count; });
}

// ---- convolutions

struct Shape {
  int64_t images, height, width, channels, out_height, out_width, filters, window_height, window_width;
  int64_t stride_y, stride_x, pad_y, pad_x, input_dilation_y, input_dilation_x, dilation_y, dilation_x;
};

// Filters [first, first + vectors * LANES), whose weights are adjacent in the packed kernel.
struct Filters {
  int64_t first, vectors;
};

inline std::vector<Filters> filters_of(const Shape& s) {
  std::vector<Filters> blocks;
  for (int64_t first = 0; first < s.filters;) {
    blocks.push_back({first, s.filters - first > LANES ? 2 : 1});
    first += blocks.back().vectors * LANES;
  }
  return blocks;
}

// Part of an image with the zeros around it.
struct Band {
  const float* data;
  int64_t row, column;  // of the image: where it begins
  int64_t pitch;        // floats from row to row
};

// Copy rows [top, bottom) and columns [left, right) of an image, with zeros outside it; `inside`: use it as it is.
inline Band band_of(const float* image, const Shape& s, int64_t top, int64_t bottom, int64_t left, int64_t right,
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

// ---- tiles of sums in registers

// Add the products of R numbers, STEP floats apart, with V vectors.
template <int STEP, int R, int V>
[[gnu::always_inline]] inline void add_products(Vector (&sum)[R][V], const float* numbers, const float* vectors) {
  Vector row[V];
  for (int v = 0; v < V; ++v) row[v] = load(vectors + v * LANES);
#pragma GCC unroll 32
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[r][v] += numbers[r * STEP] * row[v];
}

// Write a tile's sums, `pitch` floats from each of the R to the next.
template <int R, int V>
[[gnu::always_inline]] inline void store_sums(const Vector (&sum)[R][V], float* to, int64_t pitch) {
#pragma GCC unroll 32
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(to + r * pitch + v * LANES, sum[r][v]);
}

// Where a tile of a gradient reads and adds; steps are in floats.
struct Sweep {
  int64_t rows, columns, row_step, step, above_row_step, padded;
};

// Add to sums over all places: products of R numbers of `x` with V vectors of `above`.
template <int R, int V>
void add_places(const float* x, const float* above, float* total, const Sweep& sweep) {
  const int64_t step = sweep.step, padded = sweep.padded;
  Vector sum[R][V];
#pragma GCC unroll 32
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[r][v] = load(total + r * padded + v * LANES);
  for (int64_t y = 0; y < sweep.rows; ++y) {
    const float *a = x + y * sweep.row_step, *b = above + y * sweep.above_row_step;
    for (int64_t i = sweep.columns; i > 0; --i, a += step, b += padded) add_products<1>(sum, a, b);
  }
  store_sums(sum, total, padded);
}

// ---- the kernels

void convolve(const Pool& pool, const float* x, const float* kernel, float* out, const Shape& shape);
void kernel_gradient(const Pool& pool, const float* x, const float* upstream, float* out, const Shape& shape);
void winograd(const Pool& pool, const float* x, const float* kernel, float* out, const Shape& shape);
void winograd_kernel_gradient(const Pool& pool, const float* x, const float* upstream, float* out, const Shape& shape);

// Statistics of arrays (positions, channels).
void write_moments(const Pool& pool, const float* x, int64_t positions, int64_t channels, float* mean, float* variance);
void write_sums(const Pool& pool, const float* x, int64_t positions, int64_t channels, float* sums);
void write_products(const Pool& pool, const float* a, const float* b, int64_t positions, int64_t channels, float* sums,
                    float* products);
