//! The baseline trainer.
