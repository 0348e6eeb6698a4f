//! The text of a schema: what parses is written and parsed again as the same schema.
#![no_main]

use bartizan_data::Schema;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(schema) = Schema::parse(text) else { return };
    let text = schema.to_toml().expect("a parsed schema has a text");
    let again = Schema::parse(&text).expect("the text is a schema");
    assert_eq!(again, schema);
    assert_eq!(again.to_toml().expect("a parsed schema has a text"), text);
});
