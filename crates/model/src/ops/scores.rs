//! From sums to scores: the post-transforms that the table operators share, as ONNX Runtime works them out.

use crate::math;
use crate::node::{Attributes, NodeInvalid, value};

/// What happens to the scores of a row (`post_transform`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transform {
    None,
    Logistic,
    Softmax,
    SoftmaxZero,
    Probit,
}

impl Transform {
    pub(crate) fn take(attributes: &mut Attributes<'_>) -> Result<Transform, NodeInvalid> {
        const NAME: &str = "post_transform";
        Ok(match attributes.text(NAME)?.as_deref() {
            None | Some("NONE") => Transform::None,
            Some("LOGISTIC") => Transform::Logistic,
            Some("SOFTMAX") => Transform::Softmax,
            Some("SOFTMAX_ZERO") => Transform::SoftmaxZero,
            Some("PROBIT") => Transform::Probit,
            Some(_) => return Err(value(NAME, "is none of the transforms there are")),
        })
    }

    /// Transforms the scores of one row in place.
    pub(crate) fn apply(self, scores: &mut [f32]) {
        match self {
            Transform::None => {}
            Transform::Logistic => scores.iter_mut().for_each(|score| *score = math::logistic32(*score)),
            Transform::Probit => scores.iter_mut().for_each(|score| *score = math::probit32(*score)),
            Transform::Softmax => softmax(scores),
            Transform::SoftmaxZero => softmax_zero(scores),
        }
    }

    /// The two scores of a row with two classes and one sum. `probability` says that the sum is the share of the
    /// second class rather than a margin on either side of zero. `PROBIT` defines one score alone.
    pub(crate) fn pair(self, sum: f32, probability: bool) -> [f32; 2] {
        match self {
            Transform::Probit => [math::probit32(sum), 0.0],
            Transform::Logistic => [math::logistic32(-sum), math::logistic32(sum)],
            _ if probability => [1.0 - sum, sum],
            _ => [-sum, sum],
        }
    }
}

fn largest(scores: &[f32]) -> f32 {
    scores.iter().fold(f32::MIN, |most, score| if *score > most { *score } else { most })
}

pub(crate) fn softmax(scores: &mut [f32]) {
    let most = largest(scores);
    let mut sum = 0.0_f32;
    for score in scores.iter_mut() {
        *score = math::exp32(*score - most);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// Like [`softmax`], but scores of about zero stay there.
fn softmax_zero(scores: &mut [f32]) {
    let most = largest(scores);
    let shrink = math::exp32(-most);
    let mut sum = 0.0_f32;
    for score in scores.iter_mut() {
        if score.abs() > 1e-7 {
            *score = math::exp32(*score - most);
            sum += *score;
        } else {
            *score *= shrink;
        }
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}
