//! Frames, the content of a batch of the log: records, keys of new subjects, and unused sequence numbers.

use bartizan_base::Timestamp;
use bartizan_keys::subjects::{NONCE_BYTES, RequestTag, SubjectKeyId, SubjectTag, TAG_BYTES, WRAPPED_BYTES};
use bartizan_ledger::segment::{Commitments, SALT_BYTES, Salt};

use super::identity::RecordId;

pub(super) const KIND_RECORD: u8 = 1;
pub(super) const KIND_KEY: u8 = 2;
pub(super) const KIND_VOID: u8 = 3;

pub(super) const FLAG_SUBJECT: u8 = 1;
pub(super) const FLAG_REQUEST: u8 = 2;

/// Bytes of a record's frame before its groups.
pub(super) const FIXED_BYTES: usize = COMMITMENTS_AT + Commitments::BYTES + 2 * SALT_BYTES + 12;

/// Bytes of sealed groups beyond the groups themselves.
pub(super) const SEALED_EXTRA: usize = NONCE_BYTES + 3 * SALT_BYTES + 8 + TAG_BYTES;

/// What a frame and a segment say of a record, all but its groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) id: RecordId,
    pub(super) time: Timestamp,
    pub(super) subject: Option<(SubjectTag, SubjectKeyId)>,
    pub(super) request: Option<RequestTag>,
    pub(super) envelope_salt: Salt,
    pub(super) decisions_salt: Salt,
}

impl Meta {
    pub(super) fn flags(&self) -> u8 {
        let subject = if self.subject.is_some() { FLAG_SUBJECT } else { 0 };
        let request = if self.request.is_some() { FLAG_REQUEST } else { 0 };
        subject | request
    }

    pub(super) fn subject_bytes(&self) -> ([u8; 32], [u8; SubjectKeyId::BYTES]) {
        self.subject.map_or_else(Default::default, |(tag, id)| (*tag.as_bytes(), *id.as_bytes()))
    }

    pub(super) fn request_bytes(&self) -> [u8; RequestTag::BYTES] {
        self.request.map(|tag| *tag.as_bytes()).unwrap_or_default()
    }
}

/// One frame of a batch, borrowed from its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Record(RecordFrame<'a>),
    Key { tag: SubjectTag, id: SubjectKeyId, wrapped: &'a [u8; WRAPPED_BYTES] },
    Void,
}

/// A record as the log holds it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordFrame<'a> {
    pub(super) meta: Meta,
    pub(super) commitments: &'a [u8; Commitments::BYTES],
    pub(super) envelope: &'a [u8],
    pub(super) decisions: &'a [u8],
    pub(super) sealed: &'a [u8],
}

/// Where the commitments begin in a record's frame.
const COMMITMENTS_AT: usize = 1 + 16 + 8 + 1 + 32 + SubjectKeyId::BYTES + RequestTag::BYTES;

/// Writes everything of a record's frame that comes before the sealed groups, and leaves room for the commitments.
pub(super) fn put_record(out: &mut Vec<u8>, meta: &Meta, envelope: &[u8], decisions: &[u8], sealed: usize) {
    let (tag, key) = meta.subject_bytes();
    out.push(KIND_RECORD);
    out.extend_from_slice(meta.id.as_bytes());
    out.extend_from_slice(&meta.time.millis().to_be_bytes());
    out.push(meta.flags());
    out.extend_from_slice(&tag);
    out.extend_from_slice(&key);
    out.extend_from_slice(&meta.request_bytes());
    out.extend_from_slice(&[0; Commitments::BYTES]);
    out.extend_from_slice(&meta.envelope_salt);
    out.extend_from_slice(&meta.decisions_salt);
    for length in [envelope.len(), decisions.len(), sealed] {
        out.extend_from_slice(&length_bytes(length));
    }
    out.extend_from_slice(envelope);
    out.extend_from_slice(decisions);
}

/// Puts the commitments of the record at the start of `frame`.
pub(super) fn put_commitments(frame: &mut [u8], commitments: &Commitments) {
    let place = frame.get_mut(COMMITMENTS_AT..).and_then(|rest| rest.first_chunk_mut());
    if let Some(place) = place {
        *place = commitments.to_bytes();
    }
}

pub(super) fn put_key(out: &mut Vec<u8>, tag: SubjectTag, id: SubjectKeyId, wrapped: &[u8; WRAPPED_BYTES]) {
    out.push(KIND_KEY);
    out.extend_from_slice(tag.as_bytes());
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(wrapped);
}

/// Lengths are bounded far below 2^32 before anything is written.
pub(super) fn length_bytes(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Reads the next frame off `bytes`; `None` when there is none that is whole.
pub(super) fn next_frame<'a>(bytes: &mut Bytes<'a>) -> Option<Frame<'a>> {
    match bytes.byte()? {
        KIND_RECORD => record(bytes).map(Frame::Record),
        KIND_KEY => Some(Frame::Key {
            tag: SubjectTag::from_bytes(*bytes.array()?),
            id: SubjectKeyId::from_bytes(*bytes.array()?),
            wrapped: bytes.array()?,
        }),
        KIND_VOID => Some(Frame::Void),
        _ => None,
    }
}

fn record<'a>(bytes: &mut Bytes<'a>) -> Option<RecordFrame<'a>> {
    let id = RecordId::from_bytes(*bytes.array()?);
    let time = time(*bytes.array()?)?;
    let flags = bytes.byte()?;
    let (tag, key): (&[u8; 32], &[u8; SubjectKeyId::BYTES]) = (bytes.array()?, bytes.array()?);
    let (subject, request) = tags(flags, tag, key, bytes.array()?)?;
    let commitments = bytes.array()?;
    let (envelope_salt, decisions_salt) = (*bytes.array()?, *bytes.array()?);
    let (envelope, decisions, sealed) = (bytes.length()?, bytes.length()?, bytes.length()?);
    Some(RecordFrame {
        meta: Meta { id, time, subject, request, envelope_salt, decisions_salt },
        commitments,
        envelope: bytes.take(envelope)?,
        decisions: bytes.take(decisions)?,
        sealed: bytes.take(sealed)?,
    })
}

/// A time as it was written; one outside of what times can be is damage.
pub(super) fn time(bytes: [u8; 8]) -> Option<Timestamp> {
    let millis = i64::from_be_bytes(bytes);
    Some(Timestamp::from_millis(millis)).filter(|time| time.millis() == millis)
}

type Tags = (Option<(SubjectTag, SubjectKeyId)>, Option<RequestTag>);

/// The tags that the flags announce; `None` for unknown flags.
pub(super) fn tags(
    flags: u8,
    tag: &[u8; 32],
    key: &[u8; SubjectKeyId::BYTES],
    request: &[u8; RequestTag::BYTES],
) -> Option<Tags> {
    if flags & !(FLAG_SUBJECT | FLAG_REQUEST) != 0 {
        return None;
    }
    let subject =
        (flags & FLAG_SUBJECT != 0).then(|| (SubjectTag::from_bytes(*tag), SubjectKeyId::from_bytes(*key)));
    let request = (flags & FLAG_REQUEST != 0).then(|| RequestTag::from_bytes(*request));
    Some((subject, request))
}

/// Bytes being read from front to back, never beyond their end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| *byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    pub(super) fn length(&mut self) -> Option<usize> {
        self.u32().and_then(|length| usize::try_from(length).ok())
    }
}
