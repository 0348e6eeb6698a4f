//! The record log and its segments, through their public face.

mod crash;
mod damage;
mod erase;
mod golden;
mod kill;
mod log;
mod support;
