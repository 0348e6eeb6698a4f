//! Limits on what comes from outside: request bodies and what is in them.

/// Bytes of the body of an inference request. Whoever reads it from a socket stops there.
pub const BODY_BYTES: usize = 4 * 1024 * 1024;

/// Tensors in one request, and outputs that it asks for.
pub const TENSORS: usize = 1_024;

/// Elements of all tensors of one request together.
pub const ELEMENTS: usize = 256 * 1024;

/// Members of one `parameters` object.
pub const PARAMETERS: usize = 64;

/// Bytes of the name of a tensor or parameter.
pub const NAME_BYTES: usize = 1_024;

/// Bytes of the identifier that a caller gives a request.
pub const REQUEST_ID_BYTES: usize = 256;

/// Columns with a flag that a prediction lists one by one; more are counted.
pub const FLAGS: usize = 256;

/// Flags that a message to the caller lists.
pub const FLAGS_SHOWN: usize = 8;

/// Columns of an endpoint that are for something.
pub const COLUMNS: usize = TENSORS;

/// Slice tags of one prediction.
pub const SLICES: usize = 32;

/// Bytes of the name, and of the value, of a slice tag.
pub const SLICE_BYTES: usize = 256;

/// Bytes of an envelope, the first group of a record, whatever place it is given: names are bounded.
pub const ENVELOPE_BYTES: usize = 1_024;

/// Bytes of a message to the caller.
pub const MESSAGE_BYTES: usize = 1_024;
