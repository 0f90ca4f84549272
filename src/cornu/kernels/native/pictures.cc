// Pictures of bytes on the host: bilinear resizing, and the row filters of PNG.
//
// Floats are rounded as numpy rounds them (compiled with -ffp-contract=off), so results do not depend on this library.
#include <immintrin.h>

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
