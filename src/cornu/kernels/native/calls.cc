// The functions that XLA calls. They only pass arguments on, and XLA's templates take long to optimize.
#pragma GCC optimize("O0")
#include "kernels.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;
using Array = ffi::Buffer<ffi::F32>;
using Result = ffi::Result<Array>;

static Pool pool_of(ffi::ThreadPool& pool) {
  return {pool.num_threads(), [&pool](std::function<void()> work) { pool.Schedule(std::move(work)); }};
}

template <void (*function)(const Pool&, const float*, const float*, float*, const Shape&)>
static ffi::Error convolution_call(ffi::ThreadPool pool, ffi::Span<const int64_t> numbers, Array left, Array right, Result out) {
  Shape shape;
  if (numbers.size() * sizeof(int64_t) != sizeof(shape))
    return ffi::Error(ffi::ErrorCode::kInvalidArgument, "a shape has another number of sizes");
  std::memcpy(&shape, numbers.begin(), sizeof(shape));
  function(pool_of(pool), left.typed_data(), right.typed_data(), out->typed_data(), shape);
  return ffi::Error::Success();
}

static int64_t channels_of(Array& x) { return x.dimensions().back(); }
static int64_t positions_of(Array& x) { return x.element_count() / channels_of(x); }

static ffi::Error moments_call(ffi::ThreadPool pool, Array x, Result mean, Result variance) {
  write_moments(pool_of(pool), x.typed_data(), positions_of(x), channels_of(x), mean->typed_data(), variance->typed_data());
  return ffi::Error::Success();
}

static ffi::Error sums_call(ffi::ThreadPool pool, Array x, Result sums) {
  write_sums(pool_of(pool), x.typed_data(), positions_of(x), channels_of(x), sums->typed_data());
  return ffi::Error::Success();
}

static ffi::Error products_call(ffi::ThreadPool pool, Array a, Array b, Result sums, Result products) {
  write_products(pool_of(pool), a.typed_data(), b.typed_data(), positions_of(a), channels_of(a), sums->typed_data(),
                 products->typed_data());
  return ffi::Error::Success();
}

static auto bound() { return ffi::Ffi::Bind().Ctx<ffi::ThreadPool>(); }
static auto convolution_bound() {
  return bound().Attr<ffi::Span<const int64_t>>("shape").Arg<Array>().Arg<Array>().Ret<Array>();
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(channel_moments, moments_call, bound().Arg<Array>().Ret<Array>().Ret<Array>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(channel_sums, sums_call, bound().Arg<Array>().Ret<Array>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(channel_products, products_call,
                              bound().Arg<Array>().Arg<Array>().Ret<Array>().Ret<Array>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(convolution, convolution_call<convolve>, convolution_bound());
XLA_FFI_DEFINE_HANDLER_SYMBOL(convolution_kernel_gradient, convolution_call<kernel_gradient>, convolution_bound());
XLA_FFI_DEFINE_HANDLER_SYMBOL(convolution_winograd, convolution_call<winograd>, convolution_bound());
XLA_FFI_DEFINE_HANDLER_SYMBOL(convolution_winograd_kernel_gradient, convolution_call<winograd_kernel_gradient>,
                              convolution_bound());
