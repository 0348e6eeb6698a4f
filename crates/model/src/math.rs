//! Functions beyond IEEE arithmetic, the same on every machine.
//!
//! All are worked out in 64 bits by the `libm` package; 32-bit results are rounded once from that.

/// `e` to the power of `x`.
pub(crate) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// `e` to the power of `x`.
#[expect(clippy::cast_possible_truncation, reason = "rounding to 32 bits is what is asked for")]
pub(crate) fn exp32(x: f32) -> f32 {
    libm::exp(f64::from(x)) as f32
}

/// `1 / (1 + e^-x)`, as the ONNX-ML operators of ONNX Runtime work it out: the smaller half as one minus the larger.
pub(crate) fn logistic32(x: f32) -> f32 {
    let larger = 1.0 / (1.0 + exp32(-x.abs()));
    if x < 0.0 { 1.0 - larger } else { larger }
}

/// An approximation of the inverse error function (Winitzki, 2008), the one that ONNX Runtime uses.
#[expect(clippy::cast_possible_truncation, reason = "rounding to 32 bits is what is asked for")]
fn inverse_erf32(x: f32) -> f32 {
    let sign = if x < 0.0 { -1.0 } else { 1.0 };
    let logarithm = libm::log(f64::from((1.0 - x) * (1.0 + x))) as f32;
    let half = 2.0 / (std::f32::consts::PI * 0.147) + 0.5 * logarithm;
    sign * (-half + (half * half - logarithm / 0.147).sqrt()).sqrt()
}

/// The inverse of the normal distribution function, as the post-transform `PROBIT` asks for it.
pub(crate) fn probit32(x: f32) -> f32 {
    std::f32::consts::SQRT_2 * inverse_erf32(2.0 * x - 1.0)
}
