//! Which servers an API key may be sent to, and how one is recognised.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use axum::http::Uri;
use bartizan_keys::Secret;
use bartizan_store::ApiAt;

use crate::catalog::ids;
use crate::failure::Failure;

/// A server on this machine: what is sent to it in clear passes nobody else.
#[derive(Debug)]
pub(super) struct Server {
    /// What the Host header says.
    pub(super) host: String,
    /// Where it listens; the first that takes a connection is it.
    pub(super) addresses: Vec<SocketAddr>,
    /// What it must show that it knows, before it is shown a key; none for a server that the user named.
    pub(super) secret: Option<Secret>,
}

impl Server {
    /// The server that the user named. Whoever answers there is whom the user chose.
    pub(super) fn named(url: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            let mut failure = Failure::new(ids::CONFIGURATION, format!("`{url}` is no address of a server"));
            failure.why.push(why.to_owned());
            failure.then("name one such as http://127.0.0.1:7878")
        };
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(Failure::new(ids::NO_TLS, format!("`{url}` asks for a connection over TLS")));
            }
            _ => return Err(wrong("it does not begin with http://")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it holds a name or password"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("there is a path behind the address"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => 80,
            Some(port) => port.trim_start_matches(':').parse().map_err(|_| wrong("the port is no number"))?,
            None => return Err(wrong("it names no host")),
        };
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let ips: Vec<IpAddr> = if host.eq_ignore_ascii_case("localhost") {
            // Not looked up: the name means this machine (RFC 6761, section 6.3), whatever a resolver says.
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else {
            bare.parse().into_iter().collect()
        };
        if ips.is_empty() || !ips.iter().all(IpAddr::is_loopback) {
            let what = format!("`{url}` is on another machine, and the connection would be in clear");
            return Err(Failure::new(ids::PLAIN_CONNECTION, what));
        }
        let addresses = ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Ok(Self { host: authority.as_str().to_owned(), addresses, secret: None })
    }

    /// The process that holds a data directory, as it says in the lock file.
    pub(super) fn holding(api: &ApiAt) -> Result<Self, Failure> {
        let Some(secret) = &api.secret else {
            let what = format!("who listens on {} cannot be told from anybody else", api.address);
            return Err(Failure::new(ids::OTHER_SERVER, what).then("stop `bartizan up` and start it again"));
        };
        let ip = match api.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        // Only an address of this machine can be bound, and what is sent to one does not leave it.
        if !ip.is_loopback() && UdpSocket::bind((ip, 0)).is_err() {
            let what =
                format!("{ip} is not an address of this machine, and the connection would be in clear");
            return Err(Failure::new(ids::PLAIN_CONNECTION, what));
        }
        let address = SocketAddr::new(ip, api.address.port());
        let secret = Some(Secret::from_bytes(*secret.expose()));
        Ok(Self { host: address.to_string(), addresses: vec![address], secret })
    }
}

#[cfg(test)]
mod tests {
    use bartizan_store::{ApiAt, LockSecret};

    use super::Server;

    #[test]
    fn a_key_goes_only_to_this_machine() {
        for (url, addresses) in [
            ("http://127.0.0.1:7878", &["127.0.0.1:7878"][..]),
            ("http://127.9.9.9/", &["127.9.9.9:80"]),
            ("HTTP://[::1]:7878", &["[::1]:7878"]),
            ("http://localhost:1", &["127.0.0.1:1", "[::1]:1"]),
        ] {
            let server = Server::named(url).unwrap();
            let found: Vec<String> = server.addresses.iter().map(ToString::to_string).collect();
            assert_eq!(found, addresses, "{url}");
        }
        for (url, id) in [
            ("http://10.0.0.5:7878", "BZ-0601"),
            ("http://bartizan.example", "BZ-0601"),
            ("http://localhost.example:7878", "BZ-0601"),
            ("http://127.0.0.1.example:7878", "BZ-0601"),
            ("http://0.0.0.0:7878", "BZ-0601"),
            ("http://[::]:7878", "BZ-0601"),
            ("http://[::ffff:10.0.0.5]:7878", "BZ-0601"),
            ("http://2130706433:7878", "BZ-0601"),
            ("https://127.0.0.1:7878", "BZ-0602"),
            ("https://bartizan.example", "BZ-0602"),
            ("http://admin:pass@127.0.0.1:7878", "BZ-0002"),
            ("http://127.0.0.1:7878@10.0.0.5", "BZ-0002"),
            ("http://127.0.0.1:7878/api", "BZ-0002"),
            ("http://127.0.0.1:7878/?a", "BZ-0002"),
            ("http://127.0.0.1:99999", "BZ-0002"),
            ("ftp://127.0.0.1", "BZ-0002"),
            ("127.0.0.1:7878", "BZ-0002"),
            ("", "BZ-0002"),
        ] {
            assert_eq!(Server::named(url).unwrap_err().id, id, "{url}");
        }
    }

    #[test]
    fn the_holder_of_the_directory_is_on_this_machine_and_has_a_secret() {
        let at = |address: &str| ApiAt {
            address: address.parse().unwrap(),
            secret: Some(LockSecret::from_bytes([1; 32])),
        };
        assert_eq!(Server::holding(&at("0.0.0.0:1")).unwrap().host, "127.0.0.1:1");
        assert_eq!(Server::holding(&at("[::]:1")).unwrap().host, "[::1]:1");
        assert_eq!(Server::holding(&at("127.0.0.1:1")).unwrap().host, "127.0.0.1:1");
        // Of the block for documentation (RFC 5737): no machine has it.
        assert_eq!(Server::holding(&at("192.0.2.1:1")).unwrap_err().id, "BZ-0601");
        let silent = ApiAt { secret: None, ..at("127.0.0.1:1") };
        assert_eq!(Server::holding(&silent).unwrap_err().id, "BZ-0604");
    }
}
