// Winograd's minimal filtering F(4x4, 3x3) and F(2x2, 5x5): a tile of outputs needs 36 products per channel and filter,
// not 144 or 100 (Lavin and Gray, arXiv:1509.09308).
//
// The points of the transforms are 0, +-A, +-B and infinity. They decide about the errors: with these, which are exact
// in binary, errors are 2 to 3 times those of a plain sum in float32; with the usual 1 and 2 they are 5 times.
#include "kernels.h"

constexpr float A = 0.6875f, B = 1.375f, AA = A * A, BB = B * B;
constexpr float OF_ZERO = 1 / (AA * BB), OF_A = 1 / (2 * AA * (AA - BB)), OF_B = 1 / (2 * BB * (BB - AA));
constexpr int EDGE = 6, PLACES = EDGE * EDGE;  // inputs of a tile along an axis, products
constexpr int TILES = ACCUMULATORS;            // tiles of a group, whose sums fit in registers
constexpr int64_t TRANSFORMED = 1 << 16;       // floats of the transforms of a task, to stay in the second cache
constexpr int CHANNEL_ROWS = 8;                // channels of a tile of the gradient's sums
alignas(64) static const float ZEROS[LANES] = {};

constexpr int window_of(int step) { return EDGE + 1 - step; }  // from a tile's outputs along an axis

// Inputs of a tile to its products, along one axis.
static inline void to_products(const Vector* in, Vector* out) {
  Vector even_a = in[4] - BB * in[2], odd_a = A * (in[3] - BB * in[1]);
  Vector even_b = in[4] - AA * in[2], odd_b = B * (in[3] - AA * in[1]);
  out[0] = AA * BB * in[0] - (AA + BB) * in[2] + in[4];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = AA * BB * in[1] - (AA + BB) * in[3] + in[5];
}

// Values of a polynomial with N coefficients at the points, in the window's form with the factors of the interpolation.
template <int N, bool WINDOW>
static inline void evaluated(const Vector* in, Vector* out) {
  Vector even_a = in[0], odd_a = in[1], even_b = in[0], odd_b = in[1];
  float power_a = AA, power_b = BB;
  for (int i = 2; i < N; i += 2, power_a *= AA, power_b *= BB) {
    even_a += power_a * in[i], even_b += power_b * in[i];
    if (i + 1 < N) odd_a += power_a * in[i + 1], odd_b += power_b * in[i + 1];
  }
  odd_a *= A, odd_b *= B;
  if (WINDOW) even_a *= OF_A, odd_a *= OF_A, even_b *= OF_B, odd_b *= OF_B;
  out[0] = WINDOW ? OF_ZERO * in[0] : in[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = in[N - 1];
}

// The transpose of `evaluated`: from products to N outputs, or to the gradients of a window.
template <int N, bool WINDOW>
static inline void combined(const Vector* in, Vector* out) {
  Vector sum_a = in[1] + in[2], difference_a = A * (in[1] - in[2]);
  Vector sum_b = in[3] + in[4], difference_b = B * (in[3] - in[4]);
  if (WINDOW) sum_a *= OF_A, difference_a *= OF_A, sum_b *= OF_B, difference_b *= OF_B;
  out[0] = (WINDOW ? OF_ZERO * in[0] : in[0]) + sum_a + sum_b;
  out[1] = difference_a + difference_b;
  float power_a = AA, power_b = BB;
  for (int i = 2; i < N; i += 2, power_a *= AA, power_b *= BB) {
    out[i] = power_a * sum_a + power_b * sum_b;
    if (i + 1 < N) out[i + 1] = power_a * difference_a + power_b * difference_b;
  }
  out[N - 1] += in[5];
}

// Columns of the products, from first to end.
struct Columns {
  int first = 0, end = EDGE;
};

// Transform along both axes: `from(i, j)` gives a vector, `to(i, j, vector)` takes one, of these columns only.
template <int IN, int OUT, void (*along)(const Vector*, Vector*), typename From, typename To>
static inline void transformed(const From& from, const To& to, Columns columns = {0, OUT}) {
  Vector half[OUT][IN];
  for (int i = 0; i < IN; ++i) {
    Vector in[IN], out[OUT];
#pragma GCC unroll 8
    for (int j = 0; j < IN; ++j) in[j] = from(i, j);
    along(in, out);
#pragma GCC unroll 8
    for (int j = 0; j < OUT; ++j) half[j][i] = out[j];
  }
  for (int j = columns.first; j < columns.end; ++j) {
    Vector out[OUT];
    along(half[j], out);
#pragma GCC unroll 8
    for (int i = 0; i < OUT; ++i) to(i, j, out[i]);
  }
}

static inline Vector load_part(const float* from, int64_t count) {
  if (count >= LANES) return load(from);
  Vector out = {};
  std::memcpy(&out, from, count * sizeof(float));
  return out;
}

static inline void store_part(float* to, Vector value, int64_t count) {
  if (count >= LANES)
    store(to, value);
  else
    std::memcpy(to, &value, count * sizeof(float));
}

// Tiles along an axis. In a dilated convolution a tile has every `dilation`-th position.
struct Axis {
  int64_t step, dilation, count;
  Axis(int64_t size, int64_t step, int64_t dilation)
      : step(step), dilation(dilation), count(dilation * divided(divided(size, dilation), step)) {}
  int64_t begin(int64_t tile) const { return tile % dilation + tile / dilation * step * dilation; }
};

struct Tiles {
  Axis down, across;
  int64_t count;
  Tiles(const Shape& s, int64_t step)
      : down(s.out_height, step, s.dilation_y),
        across(s.out_width, step, s.dilation_x),
        count(s.images * down.count * across.count) {}
};

// A tile of an array of images: vectors at `row`, `column` and beyond, zeros outside the image.
struct Tile {
  const float* image;
  int64_t row, column, height, width, channels, dilation_y, dilation_x;

  bool holds(int i, int j) const {
    int64_t y = row + i * dilation_y, x = column + j * dilation_x;
    return y >= 0 && y < height && x >= 0 && x < width;
  }
  int64_t at(int i, int j) const { return ((row + i * dilation_y) * width + column + j * dilation_x) * channels; }

  template <int SIZE, int OUT, void (*along)(const Vector*, Vector*), typename To>
  void spread(int64_t channel, const To& to, Columns columns) const {
    const int64_t valid = channels - channel;
    const float* base = image + channel;
    if (holds(0, 0) && holds(SIZE - 1, SIZE - 1) && valid >= LANES)
      return transformed<SIZE, OUT, along>([&](int i, int j) { return load(base + at(i, j)); }, to, columns);
    auto place = [&](int i, int j) { return holds(i, j) ? base + at(i, j) : ZEROS; };
    if (valid >= LANES) return transformed<SIZE, OUT, along>([&](int i, int j) { return load(place(i, j)); }, to, columns);
    transformed<SIZE, OUT, along>([&](int i, int j) { return load_part(place(i, j), valid); }, to, columns);
  }
};

static Tile tile_at(const float* images, int64_t number, const Tiles& tiles, int64_t pad_y, int64_t pad_x, int64_t height,
                    int64_t width, int64_t channels) {
  const Axis &down = tiles.down, &across = tiles.across;
  int64_t line = number / across.count, image = line / down.count;
  return {images + image * height * width * channels, down.begin(line % down.count) - pad_y, across.begin(number % across.count) - pad_x,
          height, width, channels, down.dilation, across.dilation};
}

// Floats from one product of all tiles of a task to the next; odd in vectors, so that they do not share a cache's set.
static int64_t apart(int64_t size) { return (size / LANES | 1) * LANES; }

// Transforms of inputs of tiles: (products, groups of tiles, vectors of channels, tiles of a group, LANES).
static void spread_inputs(const float* x, const Shape& s, const Tiles& tiles, int64_t first, int64_t count, int64_t groups,
                          float* out, Columns columns = {}) {
  const int64_t vectors = divided(s.channels, LANES), pitch = apart(groups * vectors * TILES * LANES);
  for (int64_t number = 0; number < groups * TILES; ++number) {
    float* to = out + (number / TILES * vectors * TILES + number % TILES) * LANES;
    Tile tile = number < count ? tile_at(x, first + number, tiles, s.pad_y, s.pad_x, s.height, s.width, s.channels) : Tile{};
    for (int64_t vector = 0; vector < vectors; ++vector, to += TILES * LANES)
      if (number < count)
        tile.spread<EDGE, EDGE, to_products>(
            vector * LANES, [&](int i, int j, Vector value) { store(to + (i * EDGE + j) * pitch, value); }, columns);
      else
        for (int place = 0; place < PLACES; ++place) store(to + place * pitch, Vector{});
  }
}

// Products of R tiles with the weights of V vectors of filters, summed over channels.
template <int R, int V>
static void products(const float* spread, const float* weights, float* out, int64_t channels) {
  Vector sums[R][V] = {};
  for (int64_t left = channels; left > 0; left -= LANES, spread += TILES * LANES)
    for (int64_t c = 0; c < std::min<int64_t>(left, LANES); ++c, weights += V * LANES)
      add_products<LANES>(sums, spread + c, weights);
  store_sums(sums, out, V * LANES);
}

// Outputs of a task's tiles for V vectors of filters, whose weights are (products, channels, V * LANES).
template <int STEP, int V>
static void outputs_of_tiles(const float* spread, const float* weights, float* sums, float* out, const Shape& s,
                             const Tiles& tiles, int64_t first, int64_t count, int64_t groups, int64_t filter) {
  constexpr int ROWS = TILES / V;
  const int64_t group = divided(s.channels, LANES) * TILES * LANES, pitch = apart(groups * group);
  const int64_t sums_pitch = apart(groups * TILES * V * LANES);
  for (int place = 0; place < PLACES; ++place)
    for (int64_t row = 0; row < groups * TILES; row += ROWS)
      products<ROWS, V>(spread + place * pitch + row / TILES * group + row % TILES * LANES,
                        weights + place * s.channels * V * LANES, sums + place * sums_pitch + row * V * LANES, s.channels);
  for (int64_t number = 0; number < count; ++number) {
    Tile tile = tile_at(out, first + number, tiles, 0, 0, s.out_height, s.out_width, s.filters);
    for (int v = 0; v < V && filter + v * LANES < s.filters; ++v) {
      const float* from = sums + (number * V + v) * LANES;
      const int64_t valid = s.filters - filter - v * LANES;
      float* to = const_cast<float*>(tile.image) + filter + v * LANES;
      transformed<EDGE, STEP, combined<STEP, false>>([&](int i, int j) { return load(from + (i * EDGE + j) * sums_pitch); },
                                          [&](int i, int j, Vector value) {
                                            if (tile.holds(i, j)) store_part(to + tile.at(i, j), value, valid);
                                          });
    }
  }
}

// Groups of tiles of a task: as many as the cache holds, fewer where there would be too few tasks.
static int64_t groups_of(const Tiles& tiles, int64_t per_tile, int64_t tasks) {
  int64_t fit = std::max<int64_t>(1, TRANSFORMED / (PLACES * per_tile * TILES));
  return std::max<int64_t>(1, std::min(fit, tiles.count / (tasks * TILES)));
}

template <int STEP>
static void convolve_tiles(const Pool& pool, const float* x, const float* kernel, float* out, const Shape& s) {
  constexpr int WINDOW = window_of(STEP);
  const Tiles tiles(s, STEP);
  const std::vector<Filters> blocks = filters_of(s);
  const int64_t padded = divided(s.filters, LANES) * LANES;
  Memory memory;
  float* weights = memory.get(PLACES * s.channels * (padded + LANES));
  parallel(pool, divided(s.channels, 16), [&](int64_t task) {
    for (auto& block : blocks)
      for (int64_t channel = task * 16; channel < std::min(task * 16 + 16, s.channels); ++channel)
        for (int v = 0; v < block.vectors; ++v) {
          const int64_t filter = block.first + v * LANES, wide = block.vectors * LANES;
          float* to = weights + PLACES * s.channels * block.first + channel * wide + v * LANES;
          transformed<WINDOW, EDGE, evaluated<WINDOW, true>>(
              [&](int i, int j) {
                return load_part(kernel + ((i * WINDOW + j) * s.channels + channel) * s.filters + filter, s.filters - filter);
              },
              [&](int i, int j, Vector value) { store(to + (i * EDGE + j) * s.channels * wide, value); });
        }
  });
  const int64_t channels = divided(s.channels, LANES) * LANES, widest = std::min<int64_t>(padded, 2 * LANES);
  const int64_t groups = groups_of(tiles, channels + widest, LEAST_TASKS), per_task = groups * TILES;
  parallel(pool, divided(tiles.count, per_task), [&](int64_t task) {
    const int64_t first = task * per_task, count = std::min(per_task, tiles.count - first);
    float* spread = band_memory.get(PLACES * apart(per_task * channels));
    float* sums = upstream_memory.get(PLACES * apart(per_task * 2 * LANES));
    spread_inputs(x, s, tiles, first, count, groups, spread);
    for (auto& block : blocks) {
      auto compute = block.vectors == 2 ? outputs_of_tiles<STEP, 2> : outputs_of_tiles<STEP, 1>;
      compute(spread, weights + PLACES * s.channels * block.first, sums, out, s, tiles, first, count, groups, block.first);
    }
  });
}

template <int STEP>
static void sum_tiles(const Pool& pool, const float* x, const float* upstream, float* out, const Shape& s) {
  constexpr int WINDOW = window_of(STEP);
  const Tiles tiles(s, STEP);
  const int64_t vectors = divided(s.channels, LANES), padded = divided(s.filters, LANES) * LANES;
  const int64_t rows = divided(s.channels, CHANNEL_ROWS) * CHANNEL_ROWS, size = PLACES * rows * padded;
  const int64_t most = std::min(std::max<int64_t>(1, MOST_SUMS / size), MOST_BLOCKS);
  const int64_t groups = groups_of(tiles, vectors * LANES + padded, most), per_unit = groups * TILES;
  const int64_t units = divided(tiles.count, per_unit), per_block = divided(units, std::min(units, most));
  const int64_t blocks = divided(units, per_block), group = vectors * TILES * LANES;
  const int64_t pitch = apart(groups * group), above_pitch = apart(per_unit * padded);
  const Sweep sweep{groups, TILES, group, LANES, TILES * padded, padded};
  Memory memory;
  float* totals = memory.get(blocks * size);

  // tasks: blocks of units, each with its own sums, times columns of the products where the sums are large
  const int64_t width = blocks < LEAST_TASKS ? std::max<int64_t>(1, EDGE * blocks / LEAST_TASKS) : EDGE;
  const int64_t parts = divided(EDGE, width);
  parallel(pool, blocks * parts, [&](int64_t task) {
    const int64_t block = task / parts;
    const Columns columns{int(task % parts * width), int(std::min<int64_t>((task % parts + 1) * width, EDGE))};
    float* total = totals + block * size;
    for (int place = 0; place < PLACES; ++place)
      if (place % EDGE >= columns.first && place % EDGE < columns.end)
        std::memset(total + place * rows * padded, 0, rows * padded * sizeof(float));
    float* spread = band_memory.get(PLACES * pitch);
    float* above = upstream_memory.get(PLACES * above_pitch);
    for (int64_t unit = block * per_block; unit < std::min((block + 1) * per_block, units); ++unit) {
      const int64_t first = unit * per_unit, count = std::min(per_unit, tiles.count - first);
      spread_inputs(x, s, tiles, first, count, groups, spread, columns);
      for (int64_t number = 0; number < per_unit; ++number) {
        Tile tile = number < count ? tile_at(upstream, first + number, tiles, 0, 0, s.out_height, s.out_width, s.filters) : Tile{};
        for (int64_t filter = 0; filter < padded; filter += LANES) {
          float* to = above + number * padded + filter;
          if (number < count)
            tile.spread<STEP, EDGE, evaluated<STEP, false>>(
                filter, [&](int i, int j, Vector value) { store(to + (i * EDGE + j) * above_pitch, value); },
                columns);
          else
            for (int place = 0; place < PLACES; ++place) store(to + place * above_pitch, Vector{});
        }
      }
      for (int place = 0; place < PLACES; ++place)
        for (int64_t row = 0; row < rows && place % EDGE >= columns.first && place % EDGE < columns.end; row += CHANNEL_ROWS) {
          const float* from = spread + place * pitch + row / LANES * TILES * LANES + row % LANES;
          float* to = total + (place * rows + row) * padded;
          int64_t filter = 0;
          for (; filter + 2 * LANES <= padded; filter += 2 * LANES)
            add_places<CHANNEL_ROWS, 2>(from, above + place * above_pitch + filter, to + filter, sweep);
          if (filter < padded)
            add_places<CHANNEL_ROWS, 1>(from, above + place * above_pitch + filter, to + filter, sweep);
        }
    }
  });
  parallel(pool, divided(s.channels, 16), [&](int64_t task) {
    for (int64_t channel = task * 16; channel < std::min(task * 16 + 16, s.channels); ++channel)
      for (int64_t filter = 0; filter < s.filters; filter += LANES)
        transformed<EDGE, WINDOW, combined<WINDOW, true>>(
            [&](int i, int j) {
              const float* from = totals + ((i * EDGE + j) * rows + channel) * padded + filter;
              Vector total = load(from);
              for (int64_t block = 1; block < blocks; ++block) total += load(from + block * size);
              return total;
            },
            [&](int i, int j, Vector value) {
              store_part(out + ((i * WINDOW + j) * s.channels + channel) * s.filters + filter, value, s.filters - filter);
            });
  });
}

void winograd(const Pool& pool, const float* x, const float* kernel, float* out, const Shape& s) {
  (s.window_height == window_of(4) ? convolve_tiles<4> : convolve_tiles<2>)(pool, x, kernel, out, s);
}

void winograd_kernel_gradient(const Pool& pool, const float* x, const float* upstream, float* out, const Shape& s) {
  (s.window_height == window_of(4) ? sum_tiles<4> : sum_tiles<2>)(pool, x, upstream, out, s);
}
