//! Deliveries of sources: how a source is named, what fits one entry, and what is not taken twice.

use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Name};
use bartizan_data::folder::Packer;
use bartizan_keys::Algorithm;
use bartizan_registry::statement::{RefusedBecause, SignatureForm, Standing};
use bartizan_registry::{
    Caller, DatasetOutcome, Destination, Failed, NewBeside, NewDataset, NewDelivery, NewDerived,
};
use bartizan_store::MemBlobs;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data::{CLEAN, add};
use crate::sources::{Delivered, deliver, envelope, from_shop, key, last_from, why, world};
use crate::world::World;

/// Storage that counts how often something long is opened, and can hold the next one who does so.
#[derive(Default)]
struct Watched {
    inner: MemBlobs,
    opened: AtomicUsize,
    hold: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl Watched {
    /// Holds who opens something long next: says when that is so, and waits until it is told to go on.
    fn hold(&self) -> (Receiver<()>, Sender<()>) {
        let ((reached, told), (go, waits)) = (channel(), channel());
        *self.hold.lock().unwrap() = Some((reached, waits));
        (told, go)
    }
}

impl Blobs for Watched {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        self.inner.put(blobs)
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.inner.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        let reader = self.inner.open(name)?;
        if reader.len() > 50_000 {
            self.opened.fetch_add(1, Ordering::SeqCst);
            let held = self.hold.lock().unwrap().take();
            if let Some((reached, waits)) = held {
                reached.send(()).unwrap();
                waits.recv().unwrap();
            }
        }
        Ok(reader)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.inner.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.inner.delete(name)
    }
}

async fn watch(world: &mut World) -> Arc<Watched> {
    let watched = Arc::new(Watched { inner: world.blobs.clone(), ..Watched::default() });
    world.reopen_on(watched.clone()).await;
    watched
}

fn long() -> String {
    let rows: String = (0..20_000).map(|n| format!("{n},x\n")).collect();
    format!("a,label\n{rows}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_stops_nobody_else() {
    let (mut world, dora, ..) = world().await;
    let watched = watch(&mut world).await;
    let (content, stranger) = (long(), key(Algorithm::Ed25519));
    let (reached, go) = watched.hold();
    let running = deliver(&world, &dora, from_shop(&content, None), false, None);
    let meanwhile = async {
        tokio::task::spawn_blocking(move || reached.recv().unwrap()).await.unwrap();
        let bad = from_shop(CLEAN, Some(envelope(&stranger, CLEAN, None)));
        let refused = deliver(&world, &dora, bad, false, None).await;
        go.send(()).unwrap();
        refused
    };
    let (added, refused) = tokio::join!(running, meanwhile);
    assert_eq!(why(&refused), RefusedBecause::WrongSignature);
    assert_eq!(added.unwrap().version.unwrap().to_string(), "feed:1");
}

#[tokio::test]
async fn the_content_is_read_only_for_keys_that_could_have_signed_it() {
    let (mut world, dora, ..) = world().await;
    let p256 = key(Algorithm::EcdsaP256Sha256);
    world.registry.add_source(&world.admin, "mill", vec![p256.public().clone()]).await.unwrap();
    let watched = watch(&mut world).await;
    let (content, stranger) = (long(), key(Algorithm::Ed25519));
    let raw = stranger.sign(content.as_bytes()).unwrap();
    let signed = STANDARD.encode([b"Ed01234567".as_slice(), &raw].concat());
    let minisign = format!("untrusted comment: a\n{signed}\ntrusted comment: b\n{}\n", STANDARD.encode(&raw));
    for signature in [raw, minisign.into_bytes()] {
        for (source, opened) in [("mill", 0), ("shop", 1)] {
            let before = watched.opened.load(Ordering::SeqCst);
            let signature = Some(signature.clone());
            let refused = deliver(
                &world,
                &dora,
                Delivered { name: "feed", csv: &content, source, signature },
                false,
                None,
            )
            .await;
            assert_eq!(why(&refused), RefusedBecause::WrongSignature);
            assert_eq!(watched.opened.load(Ordering::SeqCst) - before, opened, "{source}");
        }
    }
}

#[tokio::test]
async fn a_source_is_named_by_its_id_too() {
    let (world, dora, shop, source) = world().await;
    let id = source.to_string();
    let by_id = |csv, signature| Delivered { name: "feed", csv, source: &id, signature };
    let signed = by_id(CLEAN, Some(envelope(&shop, CLEAN, None)));
    deliver(&world, &dora, signed, false, None).await.unwrap();
    assert_eq!(last_from(&world, "feed").source, source);
    for unknown in ["src_00000000000000000000000000000000", "src_0"] {
        let delivered = Delivered { name: "feed", csv: CLEAN, source: unknown, signature: None };
        let refused = deliver(&world, &dora, delivered, false, None).await;
        assert!(matches!(refused, Err(Failed::NotFound { .. })), "{refused:?}");
    }
    world.registry.set_source_standing(&world.admin, source, Standing::Disabled).await.unwrap();
    let refused = deliver(&world, &dora, by_id(CLEAN, None), false, None).await;
    assert!(matches!(refused, Err(Failed::Conflict { .. })), "{refused:?}");

    // What it is called is damaged: it is still there, so that its name is neither free nor mere words.
    let blob = world.registry.state().sources().get(&source).unwrap().profile.blob.clone();
    assert!(world.blobs.delete(&blob).unwrap());
    assert!(deliver(&world, &dora, from_shop(CLEAN, None), false, None).await.is_err());
    let other = key(Algorithm::Ed25519);
    let named = world.registry.add_source(&world.admin, "shop", vec![other.public().clone()]).await;
    assert!(named.is_err(), "{named:?}");
}

/// The key id of an envelope is a hint: other tools leave it out, or have ids of their own.
#[tokio::test]
async fn envelopes_of_other_tools_are_taken() {
    let (world, dora, shop, source) = world().await;
    let p256 = key(Algorithm::EcdsaP256Sha256);
    world.registry.trust_source_keys(&world.admin, source, vec![p256.public().clone()]).await.unwrap();
    let foreign = |key, csv: &str, hint: Option<&str>| {
        let mut value: serde_json::Value = serde_json::from_slice(&envelope(key, csv, None)).unwrap();
        let signature = value["signatures"][0].as_object_mut().unwrap();
        match hint {
            Some(hint) => signature.insert("keyid".to_owned(), hint.into()),
            None => signature.remove("keyid"),
        };
        serde_json::to_vec(&value).unwrap()
    };
    for (number, hint) in [Some(""), Some("SHA256:abc"), Some("our key"), None].into_iter().enumerate() {
        for signing in [&shop, &p256] {
            let csv = format!("a,label\n{number},x\n{},y\n", signing.public().id());
            let signed = from_shop(&csv, Some(foreign(signing, &csv, hint)));
            deliver(&world, &dora, signed, false, None).await.unwrap();
            let signature = last_from(&world, "feed").signature.unwrap();
            assert_eq!((signature.key, signature.form), (signing.public().id(), SignatureForm::Dsse));
        }
    }
    let stranger = key(Algorithm::Ed25519);
    let signed = from_shop(CLEAN, Some(foreign(&stranger, CLEAN, None)));
    let refused = deliver(&world, &dora, signed, false, None).await;
    assert_eq!(why(&refused), RefusedBecause::WrongSignature);
    world.registry.revoke_source_key(&world.admin, source, shop.public().id(), None).await.unwrap();
    let revoked = from_shop(CLEAN, Some(foreign(&shop, CLEAN, None)));
    assert_eq!(why(&deliver(&world, &dora, revoked, false, None).await), RefusedBecause::RevokedKey);
    world.reopen(true).await.unwrap();
}

async fn deliver_all(
    world: &World,
    caller: &Caller,
    name: &Name,
    deliveries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    (extend, derived): (bool, Option<NewDerived>),
) -> Result<DatasetOutcome, Failed> {
    let permit = world.registry.permit_upload(caller, &Destination::Dataset(name.clone())).await.unwrap();
    let mut new = Vec::new();
    for (content, signature) in deliveries {
        let upload = world.registry.upload(&permit, Cursor::new(content)).await.unwrap().id;
        new.push(NewDelivery { upload, source: "shop".to_owned(), signature });
    }
    let new = NewDataset {
        name: name.clone(),
        deliveries: new,
        schema: None,
        label: None,
        extend,
        require_signature: false,
        derived,
        beside: NewBeside::default(),
    };
    world.registry.add_data(caller, new).await
}

/// What is let in by its weight fits an entry, at the longest names and signatures; what is not is told at once.
#[tokio::test]
async fn what_is_too_much_for_one_entry_is_told_before_it_is_read() {
    let (world, dora, _, source) = world().await;
    let p256 = key(Algorithm::EcdsaP256Sha256);
    world.registry.trust_source_keys(&world.admin, source, vec![p256.public().clone()]).await.unwrap();
    let name = |text: String| format!("{text:a<63}").parse::<Name>().unwrap();
    let mut from = Vec::new();
    for number in 0..16 {
        let raw = name(format!("raw-{number}-"));
        let added = add(&world, &dora, (raw.as_str(), CLEAN), None, false).await.unwrap();
        from.push(added.version.unwrap());
    }
    for (case, (signed, unsigned, derived, fits)) in [
        (0, 64, 0, true),
        (0, 57, 16, true),
        (0, 58, 16, false),
        (40, 8, 0, true),
        (40, 9, 0, false),
        (40, 1, 16, true),
        (40, 2, 16, false),
        (41, 0, 0, false),
    ]
    .into_iter()
    .enumerate()
    {
        let name = name(format!("made-{case}-"));
        let delivery = |number: usize| {
            let csv = format!("a,label\n{number},x\n{case},y\n");
            let signature = (number < signed).then(|| envelope(&p256, &csv, Some(name.as_str())));
            (csv.into_bytes(), signature)
        };
        let deliveries: Vec<_> = (0..signed + unsigned).map(delivery).collect();
        let derived = (derived > 0).then(|| NewDerived {
            from: from[..derived].to_vec(),
            run: None,
            transform: Some("sort -u".to_owned()),
        });
        let added = deliver_all(&world, &dora, &name, deliveries, (false, derived)).await;
        let what = format!("{signed} signed, {unsigned} unsigned, case {case}");
        match added {
            Ok(_) => assert!(fits, "{what}"),
            Err(Failed::Invalid { why, .. }) => assert!(!fits, "{what}: {why}"),
            Err(other) => panic!("{what}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn signed_bytes_come_into_a_version_once() {
    let (world, dora, shop, _) = world().await;
    let name: Name = "feed".parse().unwrap();
    let signed = || (CLEAN.as_bytes().to_vec(), Some(envelope(&shop, CLEAN, None)));
    let twice = deliver_all(&world, &dora, &name, vec![signed(), signed()], (false, None)).await;
    assert!(matches!(twice, Err(Failed::Conflict { .. })), "{twice:?}");
    deliver_all(&world, &dora, &name, vec![signed()], (false, None)).await.unwrap();
    let again = deliver_all(&world, &dora, &name, vec![signed()], (true, None)).await;
    assert!(matches!(again, Err(Failed::Conflict { .. })), "{again:?}");
    // A version that holds nothing of the last one is another matter, and so are the words of a writer.
    deliver_all(&world, &dora, &name, vec![signed()], (false, None)).await.unwrap();
    let unsigned = (CLEAN.as_bytes().to_vec(), None);
    deliver_all(&world, &dora, &name, vec![unsigned], (true, None)).await.unwrap();
}

#[tokio::test]
async fn what_is_unusual_about_a_delivery_is_warned_of_and_shown() {
    let (world, dora, ..) = world().await;
    for _ in 0..8 {
        let usual = deliver(&world, &dora, from_shop(CLEAN, None), false, None).await.unwrap();
        assert!(!usual.findings.concat().contains("unusual"), "{:?}", usual.findings);
    }
    let rows: String = (0..400).map(|n| format!("{},{}\n", n % 4 + 1, ["x", "y"][n % 2])).collect();
    let much = format!("a,label\n{rows}");
    let added = deliver(&world, &dora, from_shop(&much, None), false, None).await.unwrap();
    assert!(added.findings.concat().contains("unusual-rows"), "{:?}", added.findings);
    assert!(added.verdict.warnings >= 2, "rows and bytes: {:?}", added.verdict);
    let shown = world.registry.show_dataset(&dora, &added.version.unwrap()).await.unwrap();
    assert_eq!(shown.unusual[0], "delivery 1: it has 400 rows, and 4 are usual (of 8 before)");
    let before = world.registry.show_dataset(&dora, &"feed:8".parse().unwrap()).await.unwrap();
    assert_eq!(before.unusual, Vec::<String>::new());
}

/// The first delivery says what the next ones are checked by: one with nothing sound in it says nothing.
#[tokio::test]
async fn a_directory_of_damage_is_no_first_delivery() {
    let (world, dora, ..) = world().await;
    let name: Name = "notes".parse().unwrap();
    let packed = |content: &[u8]| {
        let mut packer = Packer::new(Vec::new());
        packer.file("1.txt", content.len() as u64, content).unwrap();
        packer.finish(None).unwrap()
    };
    let empty = deliver_all(&world, &dora, &name, vec![(packed(b""), None)], (false, None)).await;
    assert!(matches!(empty, Err(Failed::FolderSchema(_))), "{empty:?}");
    let sound = (packed(b"The quick brown fox and the lazy dog."), None);
    let added = deliver_all(&world, &dora, &name, vec![sound], (false, None)).await.unwrap();
    assert_eq!(added.version.unwrap().to_string(), "notes:1");
}
