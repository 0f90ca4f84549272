// Convolution on CPU, in float32, without patches.
//
// Arrays are channels last: inputs (images, height, width, channels), kernels (height, width, channels, filters). A tile
// of sums, positions x filters, stays in registers.
#include "kernels.h"

constexpr int GROUP = 4;  // neighbouring positions with one pointer between them
constexpr int64_t LEAST_COLUMNS = 56;

static int64_t floored(int64_t a, int64_t b) { return a >= 0 ? a / b : -divided(-a, b); }
static int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }

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

void convolve(const Pool& pool, const float* x, const float* kernel, float* out, const Shape& s) {
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
