//! Where Redis is.

use std::fmt;

/// The URL of a Redis server: `redis://`, or `rediss://` for TLS, with a user, a password and the number of a database if there
/// are some; or `redis+unix://` and the path of a socket. It is shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayUrl(String);

impl RelayUrl {
    /// Reads what somebody has typed.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let form = "a URL of Redis is needed, such as redis://localhost:6379/0";
        let (scheme, rest) = text.split_once("://").ok_or(form)?;
        if !["redis", "rediss", "redis+unix"].contains(&scheme) || rest.is_empty() || rest.starts_with('@') {
            return Err(form);
        }
        // It would be a certificate that anybody can make.
        if rest.contains('#') {
            return Err("nothing may follow a # in the URL of Redis");
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether it is on this machine, so that those who are reached through it are, too.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let shown = self.to_string();
        let (scheme, place) = shown.split_once("://").unwrap_or_default();
        scheme == "redis+unix" || ["localhost", "127.", "[::1]"].iter().any(|host| place.starts_with(host))
    }

    /// As it was typed, with its secrets.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let rest = rest.split('?').next().unwrap_or_default();
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost"),
            ("rediss://me:p%40ss@10.0.0.1:7000/2", "rediss://10.0.0.1:7000/2"),
            ("redis://:pass@[::1]:7000?protocol=resp3", "redis://[::1]:7000"),
            ("redis+unix:///run/redis.sock?pass=secret", "redis+unix:///run/redis.sock"),
        ] {
            let url = RelayUrl::parse(text).unwrap();
            assert_eq!((url.to_string().as_str(), format!("{url:?}").as_str()), (shown, shown));
        }
        for (text, is_local) in [
            ("redis://localhost:1", true),
            ("redis://x:y@127.0.0.2", true),
            ("redis+unix:///run/redis.sock", true),
            ("redis://10.0.0.1", false),
            ("redis://localhost:x@redis.internal", false),
        ] {
            assert_eq!(RelayUrl::parse(text).unwrap().is_local(), is_local, "{text}");
        }
        for text in ["", "localhost:6379", "http://localhost", "redis://", "rediss://localhost/#insecure"] {
            assert!(RelayUrl::parse(text).is_err(), "{text}");
        }
    }
}
