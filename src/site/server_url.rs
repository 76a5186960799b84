//! Where another server is, and which of its URLs are ours. Pure.

use std::fmt;
use std::path::PathBuf;

use crate::site::path::SitePath;

/// The port of HTTP, and that of HTTPS.
const PORTS: (u16, u16) = (80, 443);

/// Where another server is: `http://localhost:5000`, `https://app.test/base/`, `unix:/run/app.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    /// Whether TLS is spoken.
    pub is_secure: bool,
    /// How it is reached.
    pub endpoint: Endpoint,
    /// What takes the place of the directory at which it is mounted. Without it, the server gets the path as it is.
    path: Option<String>,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// At this host and port. The host is a name, or an address without brackets.
    Tcp(String, u16),
    /// At this socket in the file system.
    Unix(PathBuf),
}

impl ServerUrl {
    /// Reads what somebody has typed: a URL, or only a host and port, or only a port of this machine.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "the URL of a server is needed, such as http://localhost:5000 or unix:/run/app.sock";
        if let Some(file) = text.strip_prefix("unix:") {
            let is_absolute = file.starts_with('/') && file.len() > 1;
            let endpoint = Endpoint::Unix(file.into());
            return if is_absolute { Ok(Self { is_secure: false, endpoint, path: None }) } else { Err(wrong) };
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err("only http://, https:// and unix: are spoken to other servers"),
        };
        let (authority, path) = rest.find('/').map_or((rest, None), |slash| (&rest[..slash], Some(&rest[slash..])));
        if authority.contains('@') || text.contains(['?', '#']) || text.contains(char::is_whitespace) {
            return Err(wrong);
        }
        let usual = if is_secure { PORTS.1 } else { PORTS.0 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| wrong)?),
            _ if authority.bytes().all(|byte| byte.is_ascii_digit()) => {
                ("localhost", authority.parse().map_err(|_| wrong)?)
            }
            _ => (authority, usual),
        };
        let host = if host.is_empty() && !text.contains("://") { "localhost" } else { host };
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let is_address = |byte: u8| byte.is_ascii_hexdigit() || b":.%".contains(&byte);
        let is_good = address.map_or_else(|| host.bytes().all(is_host), |address| address.bytes().all(is_address));
        if host.is_empty() || !is_good || port == 0 {
            return Err(wrong);
        }
        let host = address.unwrap_or(host).to_ascii_lowercase();
        // That of a mounted server begins and ends with a slash. One at the root is the same without it.
        let path = path.map(|path| format!("{}/", path.trim_end_matches('/')));
        Ok(Self { is_secure, endpoint: Endpoint::Tcp(host, port), path })
    }

    /// Its host and port as they stand in a URL and in `Host`; the usual port is left out.
    #[must_use]
    pub fn authority(&self) -> String {
        let Endpoint::Tcp(host, port) = &self.endpoint else { return "localhost".to_owned() };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let usual = if self.is_secure { PORTS.1 } else { PORTS.0 };
        if *port == usual { host } else { format!("{host}:{port}") }
    }

    /// What it is called for people where a URL would be taken for ours.
    #[must_use]
    pub fn name(&self) -> String {
        self.to_string().trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    /// The origin of its pages.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_secure { "https" } else { "http" }, self.authority())
    }

    /// What it is asked for when we are asked for this URL, at which it is mounted.
    #[must_use]
    pub fn of_ours(&self, directory: &SitePath, url: &str) -> String {
        let Some(path) = &self.path else { return url.to_owned() };
        let prefix = directory.as_directory().to_url();
        match url.strip_prefix(&prefix) {
            Some(rest) => format!("{path}{rest}"),
            // The directory without its slash, perhaps with a query.
            None => format!("{path}{}", url.strip_prefix(prefix.trim_end_matches('/')).unwrap_or_default()),
        }
    }

    /// Where we have what is at its URL: a path that it has written, or an absolute URL of its own. `None` if that is somewhere else.
    #[must_use]
    pub fn to_ours(&self, directory: &SitePath, url: &str) -> Option<String> {
        let path = match url.find("://") {
            Some(colon) if url[..colon].bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                let rest = &url[colon + 3..];
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                if !self.is_at(&url[..colon], &rest[..end]) {
                    return None;
                }
                let path = &rest[end..];
                if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
            }
            _ => match url.strip_prefix("//") {
                // With the scheme that it has.
                Some(rest) => {
                    let scheme = if self.is_secure { "https" } else { "http" };
                    return self.to_ours(directory, &format!("{scheme}://{rest}"));
                }
                None if url.starts_with('/') => url.to_owned(),
                None => return None,
            },
        };
        let ours = match &self.path {
            None => Some(path),
            Some(base) => {
                let rest = path.strip_prefix(base.as_str());
                rest.map(|rest| format!("{}{rest}", directory.as_directory().to_url()))
            }
        };
        // Browsers take two slashes for the name of a server.
        ours.filter(|ours| !ours.starts_with("//"))
    }

    /// Whether it has another path than we have.
    #[must_use]
    pub fn has_path(&self) -> bool {
        self.path.is_some()
    }

    /// Whether this is an origin of its own. All names of this machine mean the same.
    #[must_use]
    pub fn is_own_origin(&self, scheme: &str, authority: &str) -> bool {
        scheme.eq_ignore_ascii_case("https") == self.is_secure && self.is_at(scheme, authority)
    }

    /// Whether this is its host and port. A server that hears that browsers speak TLS to us may say so in its own URLs.
    fn is_at(&self, scheme: &str, authority: &str) -> bool {
        let Ok(other) = Self::parse(&format!("{scheme}://{authority}")) else { return false };
        match (&self.endpoint, &other.endpoint) {
            (Endpoint::Tcp(host, port), Endpoint::Tcp(other_host, other_port)) => {
                let is_same_host = host == other_host || (is_this_machine(host) && is_this_machine(other_host));
                port == other_port && is_same_host
            }
            // It knows no more than the name that we say.
            (Endpoint::Unix(_), Endpoint::Tcp(host, port)) => host == "localhost" && *port == PORTS.0,
            _ => false,
        }
    }
}

/// For people.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Unix(file) => write!(f, "unix:{}", file.display()),
            Endpoint::Tcp(..) => {
                write!(f, "{}{}", self.origin(), self.path.as_deref().filter(|path| *path != "/").unwrap_or_default())
            }
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "0.0.0.0" | "::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ServerUrl {
        ServerUrl::parse(text).unwrap()
    }

    #[test]
    fn a_server_is_named_in_many_ways() {
        for (text, origin, shown) in [
            ("http://localhost:5000", "http://localhost:5000", "http://localhost:5000"),
            ("http://localhost:5000/", "http://localhost:5000", "http://localhost:5000"),
            ("HTTPS://App.Test/base", "https://app.test", "https://app.test/base/"),
            ("https://app.test:443", "https://app.test", "https://app.test"),
            ("http://[::1]:8000", "http://[::1]:8000", "http://[::1]:8000"),
            ("5000", "http://localhost:5000", "http://localhost:5000"),
            (":5000", "http://localhost:5000", "http://localhost:5000"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("app:80", "http://app", "http://app"),
            ("unix:/run/app.sock", "http://localhost", "unix:/run/app.sock"),
        ] {
            let url = url(text);
            assert_eq!((url.origin().as_str(), url.to_string().as_str()), (origin, shown), "{text}");
        }
        for text in [
            "",
            "http://",
            "http://:5000",
            "ftp://a",
            "ws://a",
            "http://a:b",
            "http://a:0",
            "http://a b",
            "http://u@a",
            "http://a/?b",
            "unix:",
            "unix:app.sock",
            "http://[::1",
            "http://a:99999",
            "http://é",
        ] {
            assert!(ServerUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_takes_the_place_of_the_directory() {
        let api = SitePath::from_url("/api").unwrap();
        for (server, ours, its) in [
            ("http://a:1", "/api/x?y", "/api/x?y"),
            ("http://a:1/", "/api/x?y", "/x?y"),
            ("http://a:1/v1", "/api/x", "/v1/x"),
            ("http://a:1/v1/", "/api?y", "/v1/?y"),
            ("http://a:1/", "/api/", "/"),
        ] {
            assert_eq!(url(server).of_ours(&api, ours), its, "{server} {ours}");
        }
        assert_eq!(url("http://a:1/b").of_ours(&SitePath::root(), "/x"), "/b/x");
        assert_eq!(url("http://a:1/").of_ours(&SitePath::root(), "//x"), "//x");
    }

    #[test]
    fn its_own_urls_are_ours() {
        let api = SitePath::from_url("/api").unwrap();
        for (server, its, ours) in [
            ("http://localhost:1", "http://localhost:1/login?next=/", Some("/login?next=/")),
            ("http://localhost:1", "http://127.0.0.1:1", Some("/")),
            ("http://localhost:1", "http://[::1]:1/#a", Some("/#a")),
            ("http://localhost:1", "//localhost:1/a", Some("/a")),
            ("http://localhost:1", "http://localhost:2/", None),
            ("http://localhost:1", "https://localhost:1/", Some("/")),
            ("http://app.test", "https://app.test/", None),
            ("http://localhost:1", "http://localhost:1//accounts.example/", None),
            ("http://localhost:1/", "http://localhost:1//accounts.example/", Some("/api//accounts.example/")),
            ("http://localhost:1", "http://localhost:1//accounts.example/", None),
            ("http://localhost:1", "https://accounts.example/", None),
            ("http://localhost:1", "//accounts.example/", None),
            ("http://localhost:1", "/login", Some("/login")),
            ("http://localhost:1", "login", None),
            ("http://localhost:1", "?page=http://localhost:1/", None),
            ("http://localhost:1/", "/login", Some("/api/login")),
            ("http://localhost:1/v1", "http://localhost:1/v1/login", Some("/api/login")),
            ("http://localhost:1/v1", "http://localhost:1/other", None),
            ("https://app.test", "https://app.test/a", Some("/a")),
            ("https://app.test", "https://app.test:443/a", Some("/a")),
            ("unix:/run/a.sock", "http://localhost/a", Some("/a")),
        ] {
            assert_eq!(url(server).to_ours(&api, its).as_deref(), ours, "{server} {its}");
        }
    }
}
