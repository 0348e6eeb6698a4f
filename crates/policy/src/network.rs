//! Network ranges in CIDR notation (RFC 4632, RFC 4291 section 2.3), and whether an address lies in one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits::{NETWORK_BYTES, NETWORKS};

/// A range of addresses, for example `10.0.0.0/8` or `2001:db8::/32`. Bits after the prefix are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// The ranges an API key may be used from: at least one, sorted, without repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// The text is not a list of network ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkInvalid {
    /// Not an address and a prefix length.
    #[error("`{text}` is not a network range such as `10.0.0.0/8` or `2001:db8::/32`")]
    Shape {
        /// The offending text, cut to 80 characters.
        text: String,
    },
    /// An address inside the range where its first address was expected.
    #[error("`{text}` has bits set after its prefix: did you mean `{meant}`?")]
    HostBits {
        /// The offending text.
        text: String,
        /// The range around that address.
        meant: String,
    },
    /// No range at all. For every address write `0.0.0.0/0` and `::/0`.
    #[error("a list of network ranges is empty")]
    Empty,
    /// More ranges than a key may have.
    #[error("more than {NETWORKS} network ranges")]
    TooMany,
}

impl Network {
    /// Whether `address` lies in the range. An IPv4 address in IPv6 clothing (`::ffff:10.0.0.1`) is IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                masked(address.to_canonical(), self.prefix) == self.base
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl Networks {
    /// The ranges of `list`.
    ///
    /// # Errors
    /// When there is none, or more than [`NETWORKS`].
    pub fn new(list: impl IntoIterator<Item = Network>) -> Result<Self, NetworkInvalid> {
        let mut ranges: Vec<Network> = list.into_iter().take(NETWORKS + 1).collect();
        if ranges.is_empty() {
            return Err(NetworkInvalid::Empty);
        }
        if ranges.len() > NETWORKS {
            return Err(NetworkInvalid::TooMany);
        }
        ranges.sort_unstable();
        ranges.dedup();
        Ok(Self(ranges))
    }

    /// Every address there is.
    pub fn everywhere() -> Self {
        let whole = |base| Network { base, prefix: 0 };
        Self(vec![whole(Ipv4Addr::UNSPECIFIED.into()), whole(Ipv6Addr::UNSPECIFIED.into())])
    }

    /// Whether each of these ranges lies in one of `other`.
    pub fn within(&self, other: &Self) -> bool {
        let inside = |range: &Network| {
            other.iter().any(|wide| wide.prefix <= range.prefix && wide.contains(range.base))
        };
        self.iter().all(inside)
    }

    /// Whether `address` lies in any of the ranges.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.0.iter()
    }
}

/// `address` with all bits after the first `prefix` cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(v4) => {
            let host = u32::MAX.checked_shr(prefix).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & !host).into())
        }
        IpAddr::V6(v6) => {
            let host = u128::MAX.checked_shr(prefix).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & !host).into())
        }
    }
}

impl FromStr for Network {
    type Err = NetworkInvalid;

    /// Reads `ADDRESS/PREFIX`, or an address alone for the range that holds only it.
    fn from_str(text: &str) -> Result<Self, NetworkInvalid> {
        let shape = || NetworkInvalid::Shape { text: text.chars().take(80).collect() };
        if text.len() > NETWORK_BYTES {
            return Err(shape());
        }
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        // An IPv4-mapped range would never match, because addresses are brought to IPv4 first.
        let base: IpAddr = address.parse().map_err(|_| shape())?;
        if base.to_canonical() != base {
            return Err(shape());
        }
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.starts_with('+') || (digits.len() > 1 && digits.starts_with('0')) => {
                return Err(shape());
            }
            Some(digits) => digits.parse().ok().filter(|prefix| *prefix <= longest).ok_or_else(shape)?,
        };
        let meant = Self { base: masked(base, prefix), prefix };
        if meant.base != base {
            return Err(NetworkInvalid::HostBits { text: text.to_owned(), meant: meant.to_string() });
        }
        Ok(meant)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Networks {
    type Err = NetworkInvalid;

    /// Reads ranges separated by commas; spaces around them are allowed.
    fn from_str(text: &str) -> Result<Self, NetworkInvalid> {
        let ranges: Result<Vec<_>, _> = text
            .split(',')
            .map(str::trim)
            .filter(|range| !range.is_empty())
            .take(NETWORKS + 1)
            .map(str::parse)
            .collect();
        Self::new(ranges?)
    }
}

impl fmt::Display for Networks {
    /// The ranges separated by commas, as `FromStr` reads them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&ranges.join(", "))
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<Network>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
