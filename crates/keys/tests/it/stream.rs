//! Encrypted streams at every border of a segment: what is written is read, what was changed is refused.

use std::io::{self, Read, Write};

use bartizan_base::{BlobReader, Blobs, Hasher, sha256};
use bartizan_keys::Secret;
use bartizan_keys::stream::{
    CopyFailed, Decryptor, Encryptor, FIRST_PLAIN_BYTES, HEADER_BYTES, OpenStream, PLAIN_BYTES, ReadStream,
    TAG_BYTES, stored_bytes,
};
use bartizan_store::MemBlobs;

use crate::support::{name, pattern, rng};

const SEGMENT: usize = 1 << 20;
const AAD: &[u8] = b"binding";

pub(crate) fn secret() -> Secret {
    Secret::from_bytes([7; 32])
}

pub(crate) fn encrypt(plain: &[u8]) -> Vec<u8> {
    let mut stream = Encryptor::new(Vec::new(), &secret(), AAD, &mut rng(1)).unwrap();
    let mut hasher = Hasher::new();
    assert_eq!(stream.copy_from(&mut &*plain, &mut hasher).unwrap(), plain.len() as u64);
    assert_eq!(hasher.finish(), sha256(plain));
    stream.finish().unwrap()
}

pub(crate) fn reader(stored: &[u8]) -> Box<dyn BlobReader> {
    let blobs = MemBlobs::new();
    blobs.put(&[(&name("stream"), stored)]).unwrap();
    blobs.open(&name("stream")).unwrap()
}

pub(crate) fn open(stored: &[u8]) -> Result<Decryptor, OpenStream> {
    Decryptor::open(reader(stored), &secret(), AAD)
}

/// All of the plain text, or `None` when any of it is refused.
pub(crate) fn decrypt(stored: &[u8]) -> Option<Vec<u8>> {
    let mut stream = open(stored).ok()?;
    let mut plain = vec![0xee; usize::try_from(stream.len()).unwrap()];
    match stream.read_at(0, &mut plain) {
        Ok(count) => {
            assert_eq!(count, plain.len());
            Some(plain)
        }
        Err(_) => {
            assert!(plain.iter().all(|byte| *byte == 0), "nothing unauthenticated is handed out");
            None
        }
    }
}

fn borders() -> Vec<usize> {
    let (first, next) = (FIRST_PLAIN_BYTES, PLAIN_BYTES);
    vec![
        0,
        1,
        first - 1,
        first,
        first + 1,
        first + next - 1,
        first + next,
        first + next + 1,
        first + 3 * next + 17,
    ]
}

#[test]
fn every_length_comes_back() {
    for len in borders() {
        let plain = pattern(len);
        let stored = encrypt(&plain);
        assert_eq!(stored.len() as u64, stored_bytes(len as u64).unwrap(), "{len}");
        assert_eq!(decrypt(&stored).unwrap(), plain, "{len}");
    }
}

#[test]
fn the_layout_is_the_documented_one() {
    assert_eq!((HEADER_BYTES, TAG_BYTES, FIRST_PLAIN_BYTES), (40, 16, SEGMENT - 56));
    let stored = encrypt(&pattern(2 * SEGMENT));
    assert_eq!(stored.len(), 2 * SEGMENT + 40 + 3 * 16);
    assert_eq!(stored[0], 40);
    // Salt and prefix are the first bytes that the generator gave.
    let mut drawn = [0; 39];
    let (salt, prefix) = drawn.split_at_mut(32);
    let rng = &mut rng(1);
    rand_core::Rng::fill_bytes(rng, salt);
    rand_core::Rng::fill_bytes(rng, prefix);
    assert_eq!(stored[1..40], drawn);
    assert_eq!(stored_bytes(0), Some(56));
    assert_eq!(stored_bytes(u64::MAX), None);
    let longest = (1_u64 << 32) * (PLAIN_BYTES as u64) - 40;
    assert_eq!(stored_bytes(longest), Some(1 << 52));
    assert_eq!(stored_bytes(longest + 1), None);
}

#[test]
fn reading_at_an_offset() {
    let plain = pattern(FIRST_PLAIN_BYTES + 2 * PLAIN_BYTES + 100);
    let mut stream = open(&encrypt(&plain)).unwrap();
    let end = plain.len();
    let border = FIRST_PLAIN_BYTES;
    for (from, len) in [
        (0, 0),
        (0, 1),
        (0, border),
        (0, border + 1),
        (border - 1, 1),
        (border - 1, 2),
        (border, 1),
        (border, PLAIN_BYTES),
        (border - 1, PLAIN_BYTES + 2),
        (5, end),
        (end - 1, 1),
        (end - 1, 50),
        (end - 100, 100),
        (border, 7),
        (end - 50, 10),
    ] {
        let mut buf = vec![0xee; len];
        let count = stream.read_at(from as u64, &mut buf).unwrap();
        assert_eq!(count, len.min(end - from), "{from} {len}");
        assert_eq!(buf[..count], plain[from..from + count], "{from} {len}");
        assert!(buf[count..].iter().all(|byte| *byte == 0xee), "bytes past the end are left alone");
    }
    for past in [end as u64, end as u64 + 1, u64::MAX] {
        assert_eq!(stream.read_at(past, &mut [0; 8]).unwrap(), 0);
    }
}

#[test]
fn writing_in_pieces_gives_the_same_stream() {
    let plain = pattern(FIRST_PLAIN_BYTES + PLAIN_BYTES + 3);
    let whole = encrypt(&plain);
    for piece in [1000, FIRST_PLAIN_BYTES, SEGMENT, 3 * SEGMENT] {
        let mut stream = Encryptor::new(Vec::new(), &secret(), AAD, &mut rng(1)).unwrap();
        for bytes in plain.chunks(piece) {
            stream.write_all(bytes).unwrap();
        }
        stream.flush().unwrap();
        assert_eq!(stream.plain_bytes(), plain.len() as u64);
        assert!(stream.finish().unwrap() == whole, "{piece}");
    }
    // Written and copied, one after the other.
    let mut stream = Encryptor::new(Vec::new(), &secret(), AAD, &mut rng(1)).unwrap();
    let (head, tail) = plain.split_at(FIRST_PLAIN_BYTES);
    stream.write_all(head).unwrap();
    stream.copy_from(&mut &*tail, &mut Hasher::new()).unwrap();
    assert!(stream.finish().unwrap() == whole);
}

#[test]
fn a_source_may_be_slow_interrupted_or_broken() {
    struct Slow<'a>(&'a [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let len = buf.len().min(70_001);
            self.0.read(&mut buf[..len])
        }
    }
    let plain = pattern(FIRST_PLAIN_BYTES + PLAIN_BYTES + 3);
    let mut stream = Encryptor::new(Vec::new(), &secret(), AAD, &mut rng(1)).unwrap();
    stream.copy_from(&mut Slow(&plain, 0), &mut Hasher::new()).unwrap();
    assert!(stream.finish().unwrap() == encrypt(&plain));

    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let mut stream = Encryptor::new(Vec::new(), &secret(), AAD, &mut rng(1)).unwrap();
    assert!(matches!(stream.copy_from(&mut Broken, &mut Hasher::new()), Err(CopyFailed::Read(_))));
    let more = stream.copy_from(&mut &b"more"[..], &mut Hasher::new());
    assert!(matches!(more, Err(CopyFailed::Write(_))), "{more:?}");
    assert!(stream.write(b"more").is_err());
    assert!(stream.finish().is_err(), "what is cut must not become a whole stream");

    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut stream = Encryptor::new(Full, &secret(), AAD, &mut rng(1)).unwrap();
    let copied = stream.copy_from(&mut &*plain, &mut Hasher::new());
    assert!(matches!(copied, Err(CopyFailed::Write(error)) if error.kind() == io::ErrorKind::StorageFull));
    assert!(stream.write_all(&plain).is_err());
    assert!(stream.finish().is_err());
    let stream = Encryptor::new(Full, &secret(), AAD, &mut rng(1)).unwrap();
    assert_eq!(stream.finish().err().unwrap().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn another_key_or_binding_opens_nothing() {
    let stored = encrypt(b"content");
    assert!(matches!(
        Decryptor::open(reader(&stored), &Secret::from_bytes([8; 32]), AAD),
        Err(OpenStream::Changed)
    ));
    for aad in [&b""[..], b"bindinG", b"binding\0"] {
        assert!(matches!(Decryptor::open(reader(&stored), &secret(), aad), Err(OpenStream::Changed)));
    }
}

#[test]
fn every_byte_of_the_header_counts() {
    let stored = encrypt(b"content");
    for index in 0..stored.len() {
        for bit in [1, 0x80] {
            let mut changed = stored.clone();
            changed[index] ^= bit;
            assert!(open(&changed).is_err(), "byte {index}");
        }
    }
}

#[test]
fn cutting_anywhere_is_noticed() {
    for len in borders() {
        let stored = encrypt(&pattern(len));
        let mut cuts = vec![0, 1, 39, 40, 55, stored.len() - 1];
        for border in (SEGMENT..=stored.len()).step_by(SEGMENT) {
            cuts.extend([border - 17, border - 16, border - 1, border, border + 1, border + 16, border + 17]);
        }
        for cut in cuts.into_iter().filter(|cut| *cut < stored.len()) {
            assert!(open(&stored[..cut]).is_err(), "{len} cut to {cut}");
        }
        for more in [1, 16, 17, SEGMENT] {
            let mut longer = stored.clone();
            longer.resize(stored.len() + more, 0);
            assert!(open(&longer).is_err(), "{len} and {more} more");
        }
    }
}

#[test]
fn segments_keep_their_places() {
    let plain = pattern(FIRST_PLAIN_BYTES + 3 * PLAIN_BYTES);
    let stored = encrypt(&plain);
    let parts: Vec<&[u8]> = stored.chunks(SEGMENT).collect();
    assert_eq!(parts.len(), 4);
    for order in [[0, 2, 1, 3], [0, 1, 1, 3], [0, 1, 3, 2], [0, 3, 2, 1], [0, 1, 2, 2]] {
        let shuffled = order.map(|index| parts[index]).concat();
        assert_eq!(decrypt(&shuffled), None, "{order:?}");
    }
    // A segment of another stream with the same key and binding, in the same place.
    let mut other = Encryptor::new(Vec::new(), &secret(), AAD, &mut rng(2)).unwrap();
    other.write_all(&plain).unwrap();
    let other = other.finish().unwrap();
    let foreign = [parts[0], &other[SEGMENT..2 * SEGMENT], parts[2], parts[3]].concat();
    assert_eq!(decrypt(&foreign), None);
}

#[test]
fn a_changed_segment_is_refused_alone() {
    let plain = pattern(FIRST_PLAIN_BYTES + 2 * PLAIN_BYTES);
    let mut stored = encrypt(&plain);
    stored[SEGMENT + 5] ^= 1;
    let mut stream = open(&stored).unwrap();
    let border = FIRST_PLAIN_BYTES as u64;
    for (from, len) in [(border, 1), (border, PLAIN_BYTES), (border - 1, 2), (0, plain.len())] {
        let mut buf = vec![0xee; len];
        let result = stream.read_at(from, &mut buf);
        assert!(matches!(result, Err(ReadStream::Changed { number: 1 })), "{from} {len}");
        assert!(buf.iter().all(|byte| *byte == 0), "{from} {len}");
    }
    let mut buf = vec![0; FIRST_PLAIN_BYTES];
    stream.read_at(0, &mut buf).unwrap();
    assert_eq!(buf, plain[..FIRST_PLAIN_BYTES]);
}

// An empty segment at the end would be a second spelling of the same content.
#[test]
fn an_empty_last_segment_is_refused() {
    let stored = encrypt(&pattern(FIRST_PLAIN_BYTES));
    assert_eq!(stored.len(), SEGMENT);
    let mut longer = stored;
    longer.extend([0; TAG_BYTES]);
    assert!(matches!(open(&longer), Err(OpenStream::Malformed)));
}
