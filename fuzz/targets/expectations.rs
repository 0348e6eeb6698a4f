//! Expectation suites: any bytes are one or are refused, and what is made of one is a schema that says so.
#![no_main]

use bartizan_data::Schema;
use bartizan_data::expectations::{NotImported, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match import(bytes, None) {
        Ok(imported) => {
            let Ok(text) = imported.to_toml() else { panic!("a schema is written") };
            let Ok(read) = Schema::parse(&text) else { panic!("what was written is read: {text}") };
            assert_eq!(read, imported.schema);
        }
        // Every rule that was made has to be one that a schema takes.
        Err(NotImported::Schema(error)) => panic!("{error}"),
        Err(_) => {}
    }
});
