//! Directories of images and texts: what is told of them, what is refused, and what a schema finds.

use std::io::Cursor;

use bartizan_data::folder::{
    FolderInvalid, FolderKind, FolderReport, FolderSchema, FolderSchemaInvalid, FolderSummary, ImageFormat,
    LabelsInvalid, NotAnImage, NotPacked, PackFailed, Packer, Vocabulary, check_folder, check_path, image,
    labels, summarise, text,
};
use bartizan_data::{Outcome, Tier};
use expect_test::expect;

// 37 pixels wide and 23 high each; `images/make.py` made them with Pillow.
const IMAGES: [(&str, ImageFormat, &[u8]); 8] = [
    ("a.png", ImageFormat::Png, include_bytes!("../images/a.png")),
    ("a.jpg", ImageFormat::Jpeg, include_bytes!("../images/a.jpg")),
    ("progressive.jpg", ImageFormat::Jpeg, include_bytes!("../images/progressive.jpg")),
    ("a.gif", ImageFormat::Gif, include_bytes!("../images/a.gif")),
    ("a.bmp", ImageFormat::Bmp, include_bytes!("../images/a.bmp")),
    ("lossy.webp", ImageFormat::WebP, include_bytes!("../images/lossy.webp")),
    ("lossless.webp", ImageFormat::WebP, include_bytes!("../images/lossless.webp")),
    ("extended.webp", ImageFormat::WebP, include_bytes!("../images/extended.webp")),
];

#[test]
fn images_tell_their_size_and_whether_their_end_is_there() {
    for (name, format, bytes) in IMAGES {
        let found = image(bytes).unwrap();
        assert_eq!(
            (found.format, found.width, found.height, found.truncated),
            (format, 37, 23, false),
            "{name}"
        );
        let half = image(&bytes[..bytes.len() * 9 / 10]).unwrap();
        assert!(half.truncated, "{name}");
        for length in 0..bytes.len().min(700) {
            // What is cut off anywhere is told, or says that it is cut off; it never panics.
            if let Ok(found) = image(&bytes[..length]) {
                assert!(found.truncated || length == bytes.len(), "{name} of {length} bytes");
            }
        }
    }
    assert_eq!(image(b"hello").unwrap_err(), NotAnImage::Unknown);
    assert_eq!(image(b"BM and so on").unwrap_err(), NotAnImage::Header);
    assert_eq!(image(b"\xff\xd8\xff\xda\0\x08").unwrap_err(), NotAnImage::Header);
    assert_eq!(image(b"GIF89a\0\0\0\0\0").unwrap_err(), NotAnImage::Header, "no picture has a side of 0");
}

#[test]
fn texts_tell_their_length_language_and_entropy() {
    let of = |text_of: &str| text(text_of.as_bytes(), &mut Vocabulary::default());
    for (sample, language) in [
        ("The quick brown fox jumps over the lazy dog, and it was the end of that.", Some("en")),
        ("Der Hund und die Katze sind nicht mit dem Auto, das ist auch ein Problem.", Some("de")),
        ("Le chat et les souris ne sont pas dans une maison que le chien garde pour nous.", Some("fr")),
        ("El perro y los gatos que viven con nosotros por una calle para las personas.", Some("es")),
        ("Это предложение написано по-русски.", Some("cyrillic")),
        ("これは日本語の文章です。漢字も使います。", Some("ja")),
        ("这是一个用中文写的句子。", Some("han")),
        ("qwrt zxcv plkj mnbv hgfd", Some("latin")),
        ("42", None),
    ] {
        assert_eq!(of(sample).language, language, "{sample}");
    }
    let facts = of("aabb aabb");
    assert_eq!((facts.characters, facts.words, facts.utf8), (9, 2, true));
    // 4/9, 4/9 and 1/9: by hand 2 * 4/9 * log2(9/4) + 1/9 * log2(9).
    assert!((facts.entropy - 1.392_147_223_664_534_3).abs() < 1e-12, "{}", facts.entropy);
    assert_eq!(of("aaaa").entropy, 0.0);
    let mut vocabulary = Vocabulary::default();
    assert!(!text(b"caf\xe9 The the THE", &mut vocabulary).utf8);
    assert_eq!(vocabulary.len(), Some(2));
}

fn packed(files: &[(&str, &[u8])], labels: Option<&str>) -> Vec<u8> {
    let mut sorted = files.to_vec();
    sorted.sort_unstable();
    let mut packer = Packer::new(Vec::new());
    for (path, content) in sorted {
        packer.file(path, content.len() as u64, content).unwrap();
    }
    packer.finish(labels.map(str::as_bytes)).unwrap()
}

fn summary(files: &[(&str, &[u8])], labels: Option<&str>) -> FolderSummary {
    summarise(Cursor::new(packed(files, labels))).unwrap()
}

#[test]
fn a_directory_is_summed_up() {
    let [(_, _, png), (_, _, jpeg), ..] = IMAGES;
    let files: [(&str, &[u8]); 6] = [
        ("cat/1.png", png),
        ("cat/2.jpg", jpeg),
        ("dog/1.png", png),
        ("dog/cut.jpg", &jpeg[..jpeg.len() - 40]),
        ("dog/empty.png", b""),
        ("dog/noise.png", b"\x89PNG\r\n\x1a\n and nothing more"),
    ];
    let manifest =
        "path,label\n./cat/1.png,cat\ncat/2.jpg,cat\ndog/1.png,dog\ndog/1.png,wolf\ngone.png,dog\n";
    let found = summary(&files, Some(manifest));
    assert_eq!((found.kind, found.files), (FolderKind::Images, 6));
    let formats: Vec<(&str, u64)> = found.formats.iter().map(|(format, count)| (*format, *count)).collect();
    assert_eq!(formats, [("damaged", 1), ("empty", 1), ("jpeg", 2), ("png", 2)]);
    assert_eq!((found.width.unwrap().min, found.height.unwrap().max), (37, 23));
    assert_eq!(found.truncated.first, ["dog/cut.jpg"]);
    assert_eq!(found.damaged.first, ["dog/noise.png"]);
    assert_eq!(found.empty.first, ["dog/empty.png"]);
    assert_eq!((found.duplicates.first, found.conflicting.count), (vec!["dog/1.png".to_owned()], 1));
    assert_eq!(found.labels.into_iter().collect::<Vec<_>>(), [("cat".to_owned(), 2), ("dog".to_owned(), 1)]);
    assert_eq!((found.unlabelled.count, found.missing.first), (3, vec!["gone.png".to_owned()]));
    assert_eq!(found.contradicted.first, ["dog/1.png"]);
    // The digest follows from the files alone, and from all of them.
    assert_eq!(summary(&files, None).digest, found.digest);
    assert_ne!(summary(&files[1..], None).digest, found.digest);
}

fn checked(files: &[(&str, &[u8])], labels: Option<&str>, schema: &FolderSchema) -> FolderReport {
    check_folder(summary(files, labels), schema, Tier::Release)
}

#[test]
fn the_next_delivery_is_checked_against_the_first() {
    let [(_, _, png), (_, _, jpeg), (_, _, other), (_, _, gif), ..] = IMAGES;
    let clean: [(&str, &[u8]); 3] = [("1.png", png), ("2.jpg", jpeg), ("3.jpg", other)];
    let manifest = "file,label\n1.png,cat\n2.jpg,dog\n3.jpg,dog\n";
    let schema = FolderSchema::infer(&summary(&clean, Some(manifest))).unwrap();
    let again = FolderSchema::parse(&schema.to_toml().unwrap()).unwrap();
    assert_eq!(again, schema);
    assert!(FolderSchema::claims(&schema.to_toml().unwrap()));
    let same = checked(&clean, Some(manifest), &schema);
    assert_eq!((same.outcome, same.checks, same.planned), (Outcome::Valid, 12, 12), "{}", same.render());
    let worse: [(&str, &[u8]); 4] =
        [("1.png", png), ("2.png", png), ("3.gif", gif), ("4.jpg", &jpeg[..jpeg.len() - 40])];
    let report = checked(&worse, Some("file,label\n1.png,cat\n2.png,dog\n3.gif,bird\n9.png,dog\n"), &schema);
    expect![[r#"
        invalid in tier release: 4 files of images, 12 checks, 7 blocking findings, 0 warnings
          block  (directory)               format             files of other formats: 1 of gif
          block  (directory)               damaged            1 files are empty, cut off, or cannot be decoded: 25.00 %, and 0.00 % are allowed
                 4.jpg
          block  (directory)               duplicates         1 files equal another one: 25.00 %, and 0.00 % are allowed
                 2.png
          block  (directory)               unlabelled         1 files have no label: 25.00 %, and 0.00 % are allowed
                 4.jpg
          block  (directory)               missing-file       1 labels are for files that are not there
                 9.png
          block  (directory)               label-conflict     1 files equal one that has another label
                 2.png
          block  (directory)               label-unseen       1 files have one of 1 labels that the schema does not know
    "#]]
    .assert_eq(&report.render());
    // A check that cannot run is no check that passed.
    let unlabelled = checked(&clean, None, &schema);
    assert_eq!(unlabelled.outcome, Outcome::Error, "{}", unlabelled.render());
    let explored = check_folder(summary(&worse, Some(manifest)), &schema, Tier::Explore);
    assert_eq!((explored.outcome, explored.blocking()), (Outcome::Valid, 0));
}

#[test]
fn what_is_no_packed_directory_is_refused() {
    let good = packed(&[("a.txt", b"hello"), ("b/c.txt", b"world")], Some("path,label\na.txt,x\n"));
    assert_eq!(good.len() % 512, 0);
    for at in 0..good.len() {
        let mut edited = good.clone();
        edited[at] ^= 0x41;
        if let Ok(found) = summarise(Cursor::new(&edited)) {
            let inside = [512..517, 1536..1541].iter().any(|content| content.contains(&at));
            assert!(inside || at >= 2560, "an edit at {at} goes unseen");
            assert!(at >= 2560 || found.digest != summarise(Cursor::new(&good)).unwrap().digest);
        }
        let cut = summarise(Cursor::new(&good[..at]));
        assert!(cut.is_err(), "what is cut at {at} is taken");
    }
    let more = [&good[..], b"x"].concat();
    assert!(matches!(summarise(Cursor::new(more)), Err(FolderInvalid::Packed(NotPacked::Damaged { .. }))));
    assert!(matches!(summarise(Cursor::new(b"a,b\n1,2\n")), Err(FolderInvalid::Packed(NotPacked::Other))));
    assert!(matches!(summarise(Cursor::new(packed(&[], None))), Err(FolderInvalid::Empty)));
    let mut packer = Packer::new(Vec::new());
    packer.file("b", 1, &b"x"[..]).unwrap();
    assert!(matches!(packer.file("a", 1, &b"x"[..]), Err(PackFailed::Order { .. })));
    assert!(matches!(packer.file("c", 1, &b"xy"[..]), Err(PackFailed::Changed { .. })));
    for path in ["", "/a", "a/", "../a", "a/../b", "a\\b", "a\nb", "./a"] {
        assert!(check_path(path).is_err(), "{path}");
    }
    let long = format!("{}/{}", "d".repeat(140), "f".repeat(90));
    check_path(&long).unwrap();
    assert_eq!(summary(&[(&long, b"x")], None).files, 1);
    assert!(check_path(&"f".repeat(120)).is_err());
    for manifest in ["", "a,b\nx,y\n", "path,label\nx\n", "path,label\nx,\n"] {
        assert!(labels(manifest.as_bytes()).is_err(), "{manifest}");
    }
    let quoted = labels(b"label,path\n\"a, b\",\"x \"\"y\"\".png\"\n").unwrap();
    assert_eq!(quoted.of.get("x \"y\".png").map(String::as_str), Some("a, b"));
}

/// Python's `tarfile` (USTAR_FORMAT, mode 0644, no owner, no time) made the sample, cut after the two empty blocks.
#[test]
fn the_sample_is_read_and_written_for_ever() {
    let sample: &[u8] = include_bytes!("../../../../tests/golden/folder/v1/folder.tar");
    let found = summarise(sample).unwrap();
    assert_eq!((found.kind, found.files, found.labels.get("cat")), (FolderKind::Texts, 3, Some(&1)));
    assert_eq!(found.languages.into_iter().collect::<Vec<_>>(), [("de", 1), ("en", 1)]);
    let long = format!("{}/{}.txt", "d".repeat(120), "f".repeat(60));
    let [(_, _, png), ..] = IMAGES;
    let files: [(&str, &[u8]); 3] = [
        ("cat/1.png", png),
        (&long, b"Der Hund und die Katze sind nicht da.\n"),
        ("notes.txt", b"The end of the story is that it was the butler.\n"),
    ];
    assert_eq!(packed(&files, Some("path,label\ncat/1.png,cat\n")), sample);
}

#[test]
fn damage_alone_makes_no_schema() {
    let [(_, _, png), ..] = IMAGES;
    let noise: &[u8] = b"\x89PNG\r\n\x1a\n and nothing more";
    for files in [vec![("1.png", b"".as_slice())], vec![("1.png", noise), ("2.png", b"")]] {
        let inferred = FolderSchema::infer(&summary(&files, None));
        assert!(matches!(inferred, Err(FolderSchemaInvalid::NothingSound)), "{inferred:?}");
        let with_one = [files, vec![("3.png", png)]].concat();
        let schema = FolderSchema::infer(&summary(&with_one, None)).unwrap();
        assert_eq!(FolderSchema::parse(&schema.to_toml().unwrap()).unwrap(), schema);
    }
}

/// Rows are handed on one by one, in buffers that grow with the longest of them.
#[test]
fn labels_are_read_whatever_the_length_of_a_row() {
    let (path, label) = ("p".repeat(5_000), "l".repeat(256));
    let wide = |columns: usize| ",x".repeat(columns - 2);
    for end in ["", "\n", "\r\n"] {
        for columns in [2, 15, 16, 17, 33, 1_023, 1_024] {
            let (more, cells) = (wide(columns), wide(columns));
            let found =
                labels(format!("path,label{more}\n\"{path}\",{label}{cells}\na,b{cells}{end}").as_bytes());
            let found = found.unwrap_or_else(|error| panic!("{columns}: {error}"));
            assert_eq!(found.rows, 2);
            assert_eq!((&found.of[&path], found.of["a"].as_str()), (&label, "b"));
            let short = format!("path,label{more}\na,b{cells}\nc,d{cells},x\n");
            assert_eq!(labels(short.as_bytes()).unwrap_err(), LabelsInvalid::Cells { row: 2 }, "{columns}");
        }
    }
    let wider = format!("path,label{}\n", wide(1_025));
    assert_eq!(labels(wider.as_bytes()).unwrap_err(), LabelsInvalid::Header);
    // The first bad row ends it, whatever comes after.
    let bad = format!("path,label\na,b\nc\n{}", "\"".repeat(1_000));
    assert_eq!(labels(bad.as_bytes()).unwrap_err(), LabelsInvalid::Cells { row: 2 });
}
