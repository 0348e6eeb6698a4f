//! What must hold of any bytes that are read as a table.

use std::io::Cursor;

use bartizan_data::{
    Format, InferOptions, Profile, ProfileOptions, ReadOptions, Schema, Source, Tier, check_source, decoding,
    profile,
};

/// libFuzzer's hook ends the process at any panic; those that the library catches are answers.
pub fn let_decoders_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !decoding() {
            tell(panic);
        }
    }));
}

pub fn read(bytes: &[u8], format: Format) {
    let read = ReadOptions { format: Some(format), ..ReadOptions::default() };
    let options = ProfileOptions { read, ..ProfileOptions::default() };
    let source = || Source::seekable(Cursor::new(bytes.to_vec()));
    let one = profile(source(), &options, 1);
    let three = profile(source(), &options, 3);
    let (found, outcome) = match (one, three) {
        (Ok(one), Ok(three)) => {
            assert_eq!(one.1, three.1);
            assert_eq!(stored(&one.0), stored(&three.0));
            one
        }
        (Err(one), Err(three)) => {
            assert_eq!(one.to_string(), three.to_string());
            return;
        }
        (one, three) => panic!("{:?} and {:?}", one.err(), three.err()),
    };
    assert_eq!((outcome.bytes(), outcome.rows()), (bytes.len() as u64, found.rows()));
    assert_eq!(Profile::from_bytes(&stored(&found)).expect("the stored form is a profile"), found);
    let schema =
        Schema::infer(&found, outcome.format(), &InferOptions { label: None }).expect("there is no label");
    let text = schema.to_toml().expect("an inferred schema has a text");
    assert_eq!(Schema::parse(&text).expect("the text is a schema"), schema);
    let report = check_source(source(), Some(format), &schema, Tier::Release, 2).expect("it was read before");
    assert!(report.checks <= report.planned);
}

fn stored(profile: &Profile) -> Vec<u8> {
    profile.to_bytes().expect("a profile has a stored form")
}
