// Pictures on the host: bilinear resizing, resampling under affine maps, and the row filters of PNG.
//
// Floats are rounded as numpy rounds them (compiled with -ffp-contract=off), so results do not depend on this library.
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

typedef float Pixel __attribute__((vector_size(16), aligned(4), may_alias));  // up to four channels

// The next bytes, up to four; `left` is how many there are.
static inline __m128i bytes_at(const uint8_t* from, int64_t left) {
  uint32_t found = 0;
  if (left >= 4) {
    std::memcpy(&found, from, 4);
  } else {
    std::memcpy(&found, from, left);
  }
  return _mm_cvtsi32_si128(static_cast<int>(found));
}

static inline Pixel floats_at(const uint8_t* from, int64_t left) {
  return (Pixel)_mm_cvtepi32_ps(_mm_cvtepu8_epi32(bytes_at(from, left)));
}

// Where new rows or columns are: between `first` and `second`, with this weight of the second.
struct Places {
  const int64_t *first, *second;
  const float* weight;
  int64_t count;
};

// A row of new pixels; `line` has space for three floats more, since each pixel is stored as four.
static void resize_row(const uint8_t* row, int64_t width, int64_t channels, const Places& columns, float* line) {
  const int64_t end = width * channels;
  for (int64_t x = 0; x < columns.count; x++) {
    const int64_t first = columns.first[x] * channels, second = columns.second[x] * channels;
    const Pixel a = floats_at(row + first, end - first), b = floats_at(row + second, end - second);
    *reinterpret_cast<Pixel*>(line + x * channels) = a + (b - a) * columns.weight[x];
  }
}

// `image` is (height, width, channels), 1 to 4 channels, with `stride` bytes from row to row; `result` (new height, new
// width, channels). Returns whether there was no memory.
extern "C" int resize_bilinear(const uint8_t* image, int64_t width, int64_t channels, int64_t stride,
                               const int64_t* rows, const float* row_weights, int64_t new_height,
                               const int64_t* columns, const float* column_weights, int64_t new_width, float* result) {
  const Places places = {columns, columns + new_width, column_weights, new_width};
  const int64_t count = new_width * channels;
  std::vector<float> memory;
  try {
    memory.resize(2 * (count + 4));
  } catch (const std::bad_alloc&) {
    return 1;
  }
  float* lines[2] = {memory.data(), memory.data() + count + 4};
  int64_t held[2] = {-1, -1};  // which old rows they are made of
  for (int64_t y = 0; y < new_height; y++) {
    const int64_t wanted[2] = {rows[y], rows[new_height + y]};
    if (held[1] == wanted[0]) {
      std::swap(lines[0], lines[1]);
      std::swap(held[0], held[1]);
    }
    for (int side = 0; side < 2; side++) {
      if (held[side] == wanted[side]) continue;
      resize_row(image + wanted[side] * stride, width, channels, places, lines[side]);
      held[side] = wanted[side];
    }
    const float *upper = lines[0], *lower = lines[1], weight = row_weights[y];
    float* to = result + y * count;
    for (int64_t i = 0; i < count; i++) to[i] = upper[i] + (lower[i] - upper[i]) * weight;
  }
  return 0;
}

// How places beyond the edges come back into an image.
enum Fill : int64_t { CONSTANT, NEAREST, REFLECT, WRAP };

static double modulo(double a, double b) {
  double rest = std::fmod(a, b);
  return rest < 0 ? rest + b : rest;
}

static double brought_back(double place, int64_t size, Fill fill) {
  if (fill == REFLECT) {
    place = modulo(place, 2 * size);
    if (place >= size) place = 2 * size - 1 - place;
  } else if (fill == WRAP) {
    const double period = size > 1 ? size - 1 : 1, turns = std::trunc(place / period);
    if (place < 0)
      place -= (turns - 1) * period;
    else if (place > size - 1)
      place -= turns * period;
  }
  return place < 0 ? 0 : place > size - 1 ? size - 1 : place;
}

// The pixel before a place, and how far behind it the place is.
static float corner_of(double place, int64_t size, int64_t& first) {
  first = static_cast<int64_t>(place);
  if (first > size - 2) first = size > 1 ? size - 2 : 0;
  return static_cast<float>(place) - static_cast<float>(first);
}

// Pixels of `to` (height, width, channels) from those of `from`, which has three floats more at its end; `map` leads
// from places of the first to those of the second: two rows of a matrix, and an offset.
template <bool LINEAR>
static void resample_image(const float* from, float* to, int64_t height, int64_t width, int64_t channels,
                           const double* map, Fill fill, float constant) {
  const int64_t next_row = height > 1 ? width * channels : 0, next_column = width > 1 ? channels : 0;
  const int64_t count = height * width * channels;
  for (int64_t y = 0, at = 0; y < height; y++) {
    const double by_row[2] = {map[4] + map[0] * y, map[5] + map[2] * y};
    for (int64_t x = 0; x < width; x++, at += channels) {
      const double row = by_row[0] + map[1] * x, column = by_row[1] + map[3] * x;
      const bool outside = row < 0 || row > height - 1 || column < 0 || column > width - 1;
      if (fill == CONSTANT && outside) {
        for (int64_t c = 0; c < channels; c++) to[at + c] = constant;
        continue;
      }
      const double y_from = outside ? brought_back(row, height, fill) : row;
      const double x_from = outside ? brought_back(column, width, fill) : column;
      int64_t first_row, first_column;
      float below = 0, right = 0;
      if (LINEAR) {
        below = corner_of(y_from, height, first_row);
        right = corner_of(x_from, width, first_column);
      } else {
        first_row = static_cast<int64_t>(std::floor(y_from + 0.5));
        first_column = static_cast<int64_t>(std::floor(x_from + 0.5));
      }
      const float* corner = from + (first_row * width + first_column) * channels;
      for (int64_t c = 0; c < channels; c += 4) {
        auto pixel = [&](int64_t shift) { return *reinterpret_cast<const Pixel*>(corner + shift + c); };
        Pixel found = pixel(0);
        if (LINEAR) {
          const Pixel lower = pixel(next_row);
          const Pixel upper = found + (pixel(next_column) - found) * right;
          found = upper + (lower + (pixel(next_row + next_column) - lower) * right - upper) * below;
        }
        if (at + c + 4 <= count)
          *reinterpret_cast<Pixel*>(to + at + c) = found;  // the next pixel overwrites what is too much
        else
          std::memcpy(to + at + c, &found, (channels - c) * sizeof(float));
      }
    }
  }
}

// `images` are (count, height, width, channels), `maps` six numbers for each. Returns whether there was no memory.
extern "C" int resample_affine(float* images, int64_t count, int64_t height, int64_t width, int64_t channels,
                               const double* maps, int64_t linear, int64_t fill, float constant) {
  const int64_t size = height * width * channels;
  std::vector<float> copy;
  try {
    copy.resize(size + 4);
  } catch (const std::bad_alloc&) {
    return 1;
  }
  auto resample = linear ? resample_image<true> : resample_image<false>;
  for (int64_t number = 0; number < count; number++, images += size, maps += 6) {
    std::memcpy(copy.data(), images, size * sizeof(float));
    resample(copy.data(), images, height, width, channels, maps, static_cast<Fill>(fill), constant);
  }
  return 0;
}

// Paeth's filter: to each byte is added the one of left, above and corner that is nearest to left + above - corner.
template <int N>
static void unfilter_paeth(const uint8_t* row, const uint8_t* above, int64_t size, uint8_t* to) {
  const __m128i low = _mm_set1_epi16(255);
  __m128i left = _mm_setzero_si128(), corner = left;  // 16 bits per channel
  for (int64_t x = 0; x < size; x += N) {
    const __m128i up = _mm_cvtepu8_epi16(bytes_at(above + x, size - x));
    const __m128i by_left = _mm_sub_epi16(up, corner), by_up = _mm_sub_epi16(left, corner);
    const __m128i from_left = _mm_abs_epi16(by_left), from_up = _mm_abs_epi16(by_up);
    const __m128i from_corner = _mm_abs_epi16(_mm_add_epi16(by_left, by_up));
    const __m128i least = _mm_min_epi16(from_corner, _mm_min_epi16(from_left, from_up));
    const __m128i other = _mm_blendv_epi8(corner, up, _mm_cmpeq_epi16(least, from_up));
    const __m128i nearest = _mm_blendv_epi8(other, left, _mm_cmpeq_epi16(least, from_left));
    left = _mm_and_si128(_mm_add_epi16(_mm_cvtepu8_epi16(bytes_at(row + x, size - x)), nearest), low);
    corner = up;
    const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(left, left));
    if (size - x >= 4) {
      std::memcpy(to + x, &bytes, 4);  // the next pixel overwrites what is too much
    } else {
      std::memcpy(to + x, &bytes, N);
    }
  }
}

template <int N>
static bool unfilter(const uint8_t* from, int64_t height, int64_t size, uint8_t* to) {
  const std::vector<uint8_t> zeros(size);
  const uint8_t* above = zeros.data();
  for (int64_t y = 0; y < height; y++, from += size + 1, above = to, to += size) {
    const uint8_t* row = from + 1;
    uint8_t left[N] = {};
    switch (from[0]) {
      case 0:
        std::memcpy(to, row, size);
        break;
      case 1:
        for (int64_t x = 0; x < size; x += N)
          for (int c = 0; c < N; c++) to[x + c] = left[c] = row[x + c] + left[c];
        break;
      case 2:
        for (int64_t x = 0; x < size; x++) to[x] = row[x] + above[x];
        break;
      case 3:
        for (int64_t x = 0; x < size; x += N)
          for (int c = 0; c < N; c++) to[x + c] = left[c] = row[x + c] + ((left[c] + above[x + c]) >> 1);
        break;
      case 4:
        unfilter_paeth<N>(row, above, size, to);
        break;
      default:
        return false;
    }
  }
  return true;
}

// `rows` are those of a PNG with 8 bits per channel: each is the number of its filter, then `size` bytes. Returns
// whether they are something else.
extern "C" int unfilter_png(const uint8_t* rows, int64_t height, int64_t size, int64_t channels, uint8_t* pixels) {
  try {
    switch (channels) {
      case 1: return !unfilter<1>(rows, height, size, pixels);
      case 2: return !unfilter<2>(rows, height, size, pixels);
      case 3: return !unfilter<3>(rows, height, size, pixels);
      case 4: return !unfilter<4>(rows, height, size, pixels);
    }
  } catch (const std::bad_alloc&) {
  }
  return 1;
}
