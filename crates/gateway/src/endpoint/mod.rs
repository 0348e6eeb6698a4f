//! Endpoints: what answers under a name, what answers instead, and how both are replaced or stopped.

mod columns;
mod constant;
mod live;
mod loaded;
mod serving;
mod stored;

pub use self::columns::{Columns, ColumnsInvalid};
pub use self::constant::{Constant, ConstantInvalid};
pub use self::live::{Endpoint, Settings, SwapRefused};
pub use self::loaded::{LoadFailed, LoadedVersion, model_file};
pub use self::serving::{Absent, Fallback, Serving, ServingInvalid};
pub use self::stored::StoredInvalid;
