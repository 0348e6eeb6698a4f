//! Ensembles of decision trees.

mod flat;
mod operator;
mod parse;

pub(crate) use self::operator::{classifier, regressor};
