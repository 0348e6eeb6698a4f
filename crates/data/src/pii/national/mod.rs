//! Numbers that states give to people: the check of each, with its official source.
//!
//! A check takes the letters (upper case) and digits of a candidate without separators, of the length that its
//! pattern has, and says whether the authority could have issued it. No check needs a list of what was issued.

mod europe;
mod north;
mod world;

pub(super) use self::europe::*;
pub(super) use self::north::*;
pub(super) use self::world::*;
