//! A directory of images or texts with labels as a data set: packed, summed up in one pass, and checked.
//!
//! What is told of an image comes from its header, and no pixel is decoded: duplicates are files with equal bytes, and
//! two encodings of one picture are two pictures here.

mod check;
mod image;
mod labels;
mod pack;
mod schema;
mod shown;
mod summary;
mod text;

pub use self::check::{FolderFinding, FolderReport, FolderRule, check_folder};
pub use self::image::{Image, ImageFormat, NotAnImage, image};
pub use self::labels::{Labels, LabelsInvalid, labels};
pub use self::pack::{NotPacked, PackFailed, Packer, PathInvalid, Unpacked, Unpacker, check_path, is_packed};
pub use self::schema::{FolderSchema, FolderSchemaInvalid};
pub use self::summary::{FolderInvalid, FolderKind, FolderSummary, Named, Spread, summarise};
pub use self::text::{Language, TextFacts, Vocabulary, text};
