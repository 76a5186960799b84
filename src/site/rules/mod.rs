//! `_redirects` and `_headers` in the root of a site, as Netlify and Cloudflare Pages read them. Pure: text → rules.
//!
//! Where the two differ, rules are read so that a site for either of them works, and a [`Remark`](line::Remark) says whom a rule is for.

pub mod headers;
pub mod line;
pub mod pattern;
pub mod redirects;

use std::sync::Arc;

use crate::site::path::SitePath;
use crate::site::rules::headers::Headers;
use crate::site::rules::line::Remark;
use crate::site::rules::line::RemarkKind;
use crate::site::rules::redirects::Redirects;

/// The files of rules, in the root of a site. They are followed, and never served.
pub const FILES: [&str; 2] = ["/_redirects", "/_headers"];

/// The largest file of rules, in bytes. It is read anew at each change.
pub const LARGEST: usize = 1 << 20;

/// What is said of a larger one.
pub const TOO_LARGE: &str = "this is larger than 1 MiB";

/// All rules of a site.
#[derive(Debug, Default)]
pub struct Rules {
    /// Of `_redirects`.
    pub redirects: Arc<Redirects>,
    /// Of `_headers`.
    pub headers: Arc<Headers>,
}

/// Whether this is a file of rules.
#[must_use]
pub fn is_rules(place: &SitePath) -> bool {
    // Some file systems make no difference between capitals and small letters.
    FILES.iter().any(|file| file.eq_ignore_ascii_case(place.as_str().trim_end_matches('/')))
}

/// What there is to say of a file of rules.
#[must_use]
pub fn remarks(place: &SitePath, text: &str) -> Vec<Remark> {
    if text.len() > LARGEST {
        return vec![Remark { line: 1, message: TOO_LARGE.into(), kind: RemarkKind::Broken }];
    }
    match place.as_str() {
        "/_redirects" => Redirects::parse(text).1,
        "/_headers" => Headers::parse(text).1,
        _ => Vec::new(),
    }
}
