//! Packed directories, and schemas of them: what is read is summed up and checked, and what is told of it is written.
#![no_main]

use bartizan_data::Tier;
use bartizan_data::folder::{
    FolderSchema, Packer, Unpacked, Unpacker, check_folder, image, labels, summarise,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(summary) = summarise(bytes) {
        summary.to_bytes().expect("a summary has a stored form");
        // What has nothing sound has no schema; any other can be read again.
        if let Ok(schema) = FolderSchema::infer(&summary) {
            let text = schema.to_toml().expect("a schema has a text");
            assert_eq!(FolderSchema::parse(&text).expect("the text is a schema"), schema);
            let report = check_folder(summary, &schema, Tier::Release);
            report.to_bytes().expect("findings have a stored form");
        }
        // What was read is what a writer makes of it.
        let (mut unpacker, mut packer, mut said) = (Unpacker::new(bytes), Packer::new(Vec::new()), None);
        while let Some(entry) = unpacker.next_entry().expect("it was read before") {
            match entry {
                Unpacked::File { path, content } => {
                    packer.file(&path, content.len() as u64, &content[..]).expect("it was read");
                }
                Unpacked::Labels(labels) => said = Some(labels),
            }
        }
        assert_eq!(packer.finish(said.as_deref()).expect("it was read"), bytes);
    }
    let _ = (image(bytes), labels(bytes));
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(schema) = FolderSchema::parse(text)
    {
        let text = schema.to_toml().expect("a parsed schema has a text");
        assert_eq!(FolderSchema::parse(&text).expect("the text is a schema"), schema);
    }
});
