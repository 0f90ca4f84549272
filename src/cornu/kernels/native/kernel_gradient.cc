// The gradient of a convolution with respect to its kernel, in float32; a tile of sums is channels x filters.
#include "kernels.h"

constexpr int64_t GRADIENT_BAND = 1 << 13;  // floats of inputs and outputs of a task, which are read once per tile,
constexpr int64_t LEAST_PLACES = 128;       // but at least so many positions for a load and a store of the sums

template <int V>
constexpr int MOST_ENTRIES = std::min(24, ACCUMULATORS) / V;

template <int V>
static void sums_of(int64_t count, const float* x, const float* above, float* total, const Sweep& sweep) {
#define CASE(N) \
  case N:       \
    if constexpr (N <= MOST_ENTRIES<V>) return add_places<N, V>(x, above, total, sweep); \
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

void kernel_gradient(const Pool& pool, const float* x, const float* upstream, float* out, const Shape& s) {
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
