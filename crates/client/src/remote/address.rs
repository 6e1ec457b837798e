//! A server's address: `https://host[:port]`, or `http://` for this machine alone.

use std::net::IpAddr;

use reqwest::Url;

use super::RemoteError;

/// The longest address that is taken, in bytes.
const MAX_ADDRESS_BYTES: usize = 256;

/// A checked address, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    base: String,
    loopback: bool,
    secure: bool,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, RemoteError> {
        let text = text.trim();
        if text.len() > MAX_ADDRESS_BYTES {
            return Err(RemoteError::BadAddress);
        }
        let url = Url::parse(text).map_err(|_| RemoteError::BadAddress)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().ok_or(RemoteError::BadAddress)?;
        let loopback = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let secure = match url.scheme() {
            "https" => true,
            // A session's token must not cross a network in clear.
            "http" if loopback => false,
            _ => return Err(RemoteError::BadAddress),
        };
        if !bare {
            return Err(RemoteError::BadAddress);
        }
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self { base: format!("{}://{host}{port}", url.scheme()), loopback, secure })
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) fn mailbox(&self, mailbox: &[u8; 16], slot: &str) -> String {
        let id = mecum_seal::DocumentId::from_bytes(*mailbox);
        format!("{}/v1/mailbox/{id}/{slot}", self.base)
    }

    /// The wake socket's address, with the question what there is after `cursor`; none behind TLS.
    pub(super) fn wake(&self, cursor: u64) -> Option<String> {
        (!self.secure).then(|| format!("{}/v1/wake?{cursor}", self.base.replacen("http://", "ws://", 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_this_machine() {
        for good in [
            "https://mecum.example",
            "https://mecum.example:8443/",
            "http://127.0.0.1:7400",
            "http://[::1]:7400",
            " http://localhost:1 ",
        ] {
            assert!(Address::parse(good).is_ok(), "{good} is an address");
        }
        for bad in [
            "",
            "mecum.example",
            "http://mecum.example",
            "http://10.0.0.1:80",
            "ftp://127.0.0.1",
            "https://user@mecum.example",
            "https://mecum.example/path",
            "https://mecum.example/?q",
            "http://127.0.0.1.example.com",
        ] {
            assert!(matches!(Address::parse(bad), Err(RemoteError::BadAddress)), "{bad} is refused");
        }
    }
}
