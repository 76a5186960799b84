//! What was typed, or written down, makes no sense.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use clap::error::ContextKind;
use clap::error::ErrorKind;

use crate::cli::known;
use crate::config::file::FileError;
use crate::site::SitePath;

/// An option of so many letters may be any other one.
const SHORT: usize = "--host".len();

/// What was typed, or written down, makes no sense.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The command line; or it asks for help.
    Usage(Box<clap::Error>),
    /// An option of another tool.
    Known(String, &'static str),
    /// There is no such address.
    Host(String, io::Error),
    /// `PORT` in the environment is none.
    Port(String),
    /// A directory that can't be mounted.
    Mount(SitePath, PathBuf, io::Error),
    /// Not two files.
    Https(Vec<PathBuf>),
    /// Two directories for one path.
    TwoMounts(SitePath),
    /// Two servers for one path.
    TwoProxies(SitePath),
    /// A directory that can't be watched.
    Watch(PathBuf, io::Error),
    /// A file without a token in it.
    Token(PathBuf, io::Error),
    /// There is no server whose sources are to be watched.
    WatchedFor,
    /// A page to open that is none of this site.
    Open(String),
    /// The file with the options can't be read.
    Unreadable(PathBuf, io::Error),
    /// A line of it makes no sense.
    File(PathBuf, FileError),
}

impl ConfigError {
    /// What clap says, or better words where we know what was meant.
    pub(super) fn usage(error: clap::Error) -> Self {
        let typed = error.get(ContextKind::InvalidArg).map(ToString::to_string);
        let advice =
            typed.filter(|_| error.kind() == ErrorKind::UnknownArgument).and_then(|typed| known::advice(&typed));
        match advice {
            Some((what, hint)) => Self::Known(what, hint),
            None => Self::Usage(Box::new(without_guesses(error))),
        }
    }

    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Host(host, _) if Path::new(host).is_dir() => "the directory goes before --host",
            Self::Host(..) => "pass an address of this machine, such as 127.0.0.1, or none for all of them",
            Self::Port(_) => "set it to a number, or unset it",
            Self::Mount(..) => "a path of the site and a directory that is there are needed: --mount /PATH=DIR",
            Self::Https(files) if files.iter().any(|file| file.is_dir()) => "the directory goes before --https",
            Self::Https(_) => "name two files in PEM, --https CERT KEY; or none, and a certificate is made",
            Self::TwoMounts(_) => "mount one of them at another path",
            Self::TwoProxies(_) => "put one of them at another path: --proxy /PATH=URL",
            Self::Watch(..) => "name the directory where the sources of your server are: --watch DIR",
            Self::Token(..) => "make one with: openssl rand -hex 32 > token.txt",
            Self::WatchedFor => {
                "nothing is needed: what a page uses is watched, and --watch is for servers behind --proxy"
            }
            Self::Open(_) => "a page to open is a path of this site, such as --open=/about",
            Self::File(_, error) => return error.hint.clone(),
            Self::Known(_, hint) => hint,
            Self::Usage(_) | Self::Unreadable(..) => return None,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Known(what, _) => f.write_str(what),
            Self::Host(host, _) => write!(f, "cannot find the address {host}"),
            Self::Port(port) => write!(f, "PORT in the environment is {port:?}, which is no port"),
            Self::Mount(prefix, directory, _) => write!(f, "cannot mount {} at {}", directory.display(), name(prefix)),
            Self::Https(files) => {
                let names = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
                write!(f, "cannot serve over HTTPS with {} alone", names.join(" and "))
            }
            Self::TwoMounts(prefix) => write!(f, "cannot mount two directories at {}", name(prefix)),
            Self::TwoProxies(prefix) => write!(f, "cannot put two servers at {}", prefix.as_directory()),
            Self::Watch(directory, _) => write!(f, "cannot watch {}", directory.display()),
            Self::Token(file, _) => write!(f, "no token for publishing in {}", file.display()),
            Self::WatchedFor => f.write_str("--watch has nothing to do without --proxy"),
            Self::Open(path) => write!(f, "cannot open {path}"),
            Self::Unreadable(file, _) => write!(f, "cannot read {}", file.display()),
            Self::File(file, error) => write!(f, "{}:{}: {error}", file.display(), error.line),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Host(_, error)
            | Self::Mount(_, _, error)
            | Self::Watch(_, error)
            | Self::Token(_, error)
            | Self::Unreadable(_, error) => Some(error),
            Self::Usage(_)
            | Self::Known(..)
            | Self::Port(_)
            | Self::Https(_)
            | Self::TwoMounts(_)
            | Self::TwoProxies(_)
            | Self::WatchedFor
            | Self::Open(_)
            | Self::File(..) => None,
        }
    }
}

/// A directory as people write it.
fn name(prefix: &SitePath) -> &str {
    prefix.as_str().trim_end_matches('/')
}

/// clap guesses what was meant, and takes `--hot` for `--host`, which shows the directory to the network. What is nearly the same
/// is a slip of the finger.
fn without_guesses(mut error: clap::Error) -> clap::Error {
    let typed = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    let guess = error.get(ContextKind::SuggestedArg).map(ToString::to_string).unwrap_or_default();
    let is_slip = strsim::damerau_levenshtein(&typed, &guess) == 1 && typed.len() > SHORT;
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
        if !is_slip {
            error.remove(ContextKind::SuggestedArg);
        }
    }
    error
}
