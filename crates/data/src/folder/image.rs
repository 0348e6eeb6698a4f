//! What the bytes of an image say of themselves: format, width and height, and whether the end is missing.
//!
//! Only headers are read and no pixel is decoded, so a hostile file costs no more than its length. Sources: PNG (RFC
//! 2083), JPEG (ITU-T T.81 annex B), GIF89a, the WebP container (RFC 9649), and the BITMAPFILEHEADER of BMP.

use std::fmt;
use std::str::FromStr;

/// A format of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline or progressive.
    Jpeg,
    /// Graphics Interchange Format.
    Gif,
    /// WebP, lossy, lossless or extended.
    WebP,
    /// Windows bitmap.
    Bmp,
}

impl ImageFormat {
    /// All formats, by name.
    pub const ALL: [Self; 5] = [Self::Bmp, Self::Gif, Self::Jpeg, Self::Png, Self::WebP];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ImageFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(())
    }
}

/// What an image says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Its format.
    pub format: ImageFormat,
    /// Columns of pixels, not 0.
    pub width: u32,
    /// Rows of pixels, not 0.
    pub height: u32,
    /// Whether it ends before its end.
    pub truncated: bool,
}

/// Why bytes are no image that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotAnImage {
    /// They begin like none.
    #[error("it begins like no image")]
    Unknown,
    /// They begin like one, and the header is cut off or contradicts itself.
    #[error("its header is damaged")]
    Header,
}

/// Reads the header of an image, and looks whether its end is there.
///
/// # Errors
/// When the bytes begin like no image, or the header is damaged.
pub fn image(bytes: &[u8]) -> Result<Image, NotAnImage> {
    let (format, found) = match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => (ImageFormat::Png, png(bytes)),
        [0xff, 0xd8, 0xff, ..] => (ImageFormat::Jpeg, jpeg(bytes)),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => (ImageFormat::Gif, gif(bytes)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => (ImageFormat::WebP, webp(bytes)),
        [b'B', b'M', ..] => (ImageFormat::Bmp, bmp(bytes)),
        _ => return Err(NotAnImage::Unknown),
    };
    let (width, height, truncated) =
        found.filter(|(width, height, _)| *width > 0 && *height > 0).ok_or(NotAnImage::Header)?;
    Ok(Image { format, width, height, truncated })
}

type Found = Option<(u32, u32, bool)>;

fn at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

fn png(bytes: &[u8]) -> Found {
    if at(bytes, 8)? != [0, 0, 0, 13] || at(bytes, 12)? != *b"IHDR" {
        return None;
    }
    let (width, height) = (u32::from_be_bytes(at(bytes, 16)?), u32::from_be_bytes(at(bytes, 20)?));
    // Chunk by chunk to the last one, which is IEND.
    let mut offset = 8_usize;
    let mut ended = false;
    while let (Some(length), Some(kind)) = (at::<4>(bytes, offset), at::<4>(bytes, offset.checked_add(4)?)) {
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        offset = offset.checked_add(12)?.checked_add(length)?;
        ended = kind == *b"IEND" && offset <= bytes.len();
        if ended || offset > bytes.len() {
            break;
        }
    }
    Some((width, height, !ended))
}

fn jpeg(bytes: &[u8]) -> Found {
    let mut offset = 2_usize;
    loop {
        // Fill bytes may come before a marker.
        if at::<1>(bytes, offset)? != [0xff] {
            return None;
        }
        let [marker] = at::<1>(bytes, offset.checked_add(1)?)?;
        match marker {
            0xff => offset = offset.checked_add(1)?,
            // Without a length: temporary, restarts.
            0x01 | 0xd0..=0xd7 => offset = offset.checked_add(2)?,
            // A frame, of whatever process; 0xc4, 0xc8 and 0xcc are none.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let height = u16::from_be_bytes(at(bytes, offset.checked_add(5)?)?);
                let width = u16::from_be_bytes(at(bytes, offset.checked_add(7)?)?);
                // Cameras write after the end; within the last bytes there is one all the same.
                let tail = bytes.get(bytes.len().saturating_sub(64)..).unwrap_or_default();
                let ended = tail.windows(2).any(|pair| pair == [0xff, 0xd9]);
                return Some((width.into(), height.into(), !ended));
            }
            // The end, or the picture, without a frame before.
            0xd9 | 0xda => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes(at(bytes, offset.checked_add(2)?)?));
                if length < 2 {
                    return None;
                }
                offset = offset.checked_add(2)?.checked_add(length)?;
            }
        }
    }
}

fn gif(bytes: &[u8]) -> Found {
    let (width, height) = (u16::from_le_bytes(at(bytes, 6)?), u16::from_le_bytes(at(bytes, 8)?));
    Some((width.into(), height.into(), bytes.last() != Some(&0x3b)))
}

fn webp(bytes: &[u8]) -> Found {
    let stated = usize::try_from(u32::from_le_bytes(at(bytes, 4)?)).ok()?.checked_add(8)?;
    let truncated = stated > bytes.len();
    let (width, height) = match &at::<4>(bytes, 12)? {
        b"VP8 " => {
            if at(bytes, 23)? != [0x9d, 0x01, 0x2a] {
                return None;
            }
            let side = |offset| Some(u32::from(u16::from_le_bytes(at(bytes, offset)?) & 0x3fff));
            (side(26)?, side(28)?)
        }
        b"VP8L" => {
            if at(bytes, 20)? != [0x2f] {
                return None;
            }
            let bits = u32::from_le_bytes(at(bytes, 21)?);
            ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
        }
        b"VP8X" => {
            let side = |offset| {
                let [low, middle, high] = at(bytes, offset)?;
                Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
            };
            (side(24)?, side(27)?)
        }
        _ => return None,
    };
    Some((width, height, truncated))
}

fn bmp(bytes: &[u8]) -> Found {
    let stated = usize::try_from(u32::from_le_bytes(at(bytes, 2)?)).ok()?;
    let (width, height) = match u32::from_le_bytes(at(bytes, 14)?) {
        12 => {
            let side = |offset| Some(u32::from(u16::from_le_bytes(at(bytes, offset)?)));
            (side(18)?, side(20)?)
        }
        40..=124 => {
            // A negative height means that rows go from the top down.
            let side = |offset| Some(i32::from_le_bytes(at(bytes, offset)?).unsigned_abs());
            (side(18)?, side(22)?)
        }
        _ => return None,
    };
    Some((width, height, stated > bytes.len()))
}
