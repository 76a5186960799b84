//! The page that shows the entries of a directory.

use std::fmt::Write;
use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use alphanumeric_sort::compare_str;
use bytes::Bytes;
use mime_guess::mime;
use time::UtcDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::content::Version;
use crate::content::kind;
use crate::content::listing;
use crate::content::listing::Entry;
use crate::http::files::icon::Icon;
use crate::http::files::readme::Readme;
use crate::http::files::resource::Resource;
use crate::http::html::inject::Tag;
use crate::http::html::page;
use crate::http::state::AppState;
use crate::http::urls::LISTING_SCRIPT;
use crate::http::urls::LISTING_STYLE;
use crate::site::SitePath;

/// How many entries a page shows. Browsers are slow with longer tables, and who does not read the page makes us keep it.
const ROWS: usize = 10_000;

/// The controls wait for the script.
const FILTER: &str = "<search><output></output><input type=\"search\" placeholder=\"Filter\" aria-label=\"Filter by name\" \
    aria-keyshortcuts=\"/\" autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" hidden></search>\n";
const HEADINGS: &str = "<thead><tr><th scope=\"col\" aria-sort=\"ascending\"><button type=\"button\" disabled>Name</button>\
    <th scope=\"col\"><button type=\"button\" disabled>Size</button>\
    <th scope=\"col\"><button type=\"button\" disabled>Modified</button></thead>\n";

/// The entries of a directory, and its README.
pub(crate) fn page(
    request: &HttpRequest,
    state: &AppState,
    path: &SitePath,
    entries: Vec<Entry>,
    readme: Option<Readme>,
) -> HttpResponse {
    let (root, base) = (state.name.as_str(), state.base.as_str());
    let version = Version::of(listing::to_json(entries.clone()).as_bytes());
    // It is not painted before the script has put it in the order that the person has chosen, and its dates into their words
    // and time zone, which only the browser knows.
    let head = format!(
        "<link rel=\"stylesheet\" href=\"{base}{LISTING_STYLE}\">\n\
         <script type=\"module\" blocking=\"render\" src=\"{base}{LISTING_SCRIPT}\"></script>\n"
    );
    let title = if *path == SitePath::root() { root } else { path.name() };
    let html = page::write(
        Some(Tag { base, path, version, nonce: None, also: &[], loaded: None }),
        title,
        &head,
        &body(root, base, path, entries, readme.as_ref()),
    );
    // The client knows the page by the version of the directory, and the README by its own.
    let shown = readme.map_or(version, |readme| Version::of(format!("{version} {}", readme.version).as_bytes()));
    let content_type = mime::TEXT_HTML_UTF_8.as_ref();
    Resource { path, content_type, etag: page::etag(shown), version, modified: None }
        .respond_as_ours(request, Bytes::from(html))
}

fn body(root: &str, base: &str, path: &SitePath, entries: Vec<Entry>, readme: Option<&Readme>) -> String {
    let heading = breadcrumbs(root, base, path);
    if entries.is_empty() {
        return format!("<h1>{heading}</h1>\n<p>Nothing is here yet. What you save here appears at once.");
    }
    let more = entries.len().saturating_sub(ROWS);
    let mut body = format!("<header><h1>{heading}</h1>{FILTER}</header>\n<table>\n{HEADINGS}<tbody>\n");
    body.extend(in_order(entries).iter().take(ROWS).map(|entry| row(base, path, entry)));
    body.push_str("</table>\n<div id=\"below\">");
    if more > 0 {
        write!(body, "<p>… and {more} more, which are in the stream of this directory.</p>")
            .expect("writing to a string can't fail");
    }
    body.extend(readme.map(|readme| below(base, readme)));
    body.push_str("</div>");
    body
}

/// The README as it is written. A line break after `<pre>` is none of the text.
fn below(base: &str, Readme { path, version, text }: &Readme) -> String {
    let (url, name) = (path.to_url(), page::escape(path.name()));
    let text = page::escape(text.strip_prefix('\u{feff}').unwrap_or(text));
    format!(
        "<section id=\"readme\" data-path=\"{url}\" data-version=\"{version}\">\
         <h2><a href=\"{base}{url}\">{name}</a></h2><pre>\n{text}</pre></section>"
    )
}

/// Directories first, then as people sort names: `file2`, `File3`, `file10`.
fn in_order(entries: Vec<Entry>) -> Vec<Entry> {
    let mut keyed: Vec<_> = entries.into_iter().map(|entry| (entry.name.to_lowercase(), entry)).collect();
    keyed.sort_unstable_by(|(a_name, a), (b_name, b)| {
        let is_file = a.is_directory.cmp(&b.is_directory).reverse();
        is_file.then_with(|| compare_str(a_name, b_name)).then_with(|| a.name.cmp(&b.name))
    });
    keyed.into_iter().map(|(_, entry)| entry).collect()
}

/// Each directory on the way as a link, the last one as text.
fn breadcrumbs(root: &str, base: &str, path: &SitePath) -> String {
    let mut crumbs = String::new();
    for directory in path.directories() {
        let name = if directory == SitePath::root() { root } else { directory.name() };
        let name = page::escape(name);
        if directory == *path {
            write!(crumbs, "<span>{name}</span>").expect("writing to a string can't fail");
        } else {
            write!(crumbs, "<a href=\"{base}{}\">{name}</a><i>/</i>", directory.to_url())
                .expect("writing to a string can't fail");
        }
    }
    crumbs
}

/// What a script wants to know of an entry is in its `data` and `time`.
fn row(base: &str, directory: &SitePath, entry: &Entry) -> String {
    let place = if entry.is_directory { directory.directory(&entry.name) } else { directory.file(&entry.name) };
    let url = place.as_ref().map(SitePath::to_url).unwrap_or_default();
    let name = page::escape(&entry.name);
    if entry.is_directory {
        return format!("<tr class=\"{}\"><td><a href=\"{base}{url}\">{name}/</a><td><td>\n", Icon::Folder.name());
    }
    let icon = place.map_or(Icon::Other, |place| Icon::of(&kind::media_type(&place))).name();
    let (bytes, size) = (entry.size, size(entry.size));
    let modified = entry.modified.map(date).unwrap_or_default();
    format!(
        "<tr class=\"{icon}\"><td><a href=\"{base}{url}\">{name}</a><td><data value=\"{bytes}\">{size}</data><td>{modified}\n"
    )
}

/// Three digits say enough of a size: `831 B`, `1.42 kB`, `48.0 MB`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut rest = bytes as f64;
    let mut unit = "";
    for larger in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        // What would be rounded up to 1000 belongs to the next unit.
        if rest < 999.5 {
            break;
        }
        rest /= 1000.0;
        unit = larger;
    }
    let decimals = if rest < 9.995 { 2 } else { usize::from(rest < 99.95) };
    format!("{rest:.decimals$} {unit}")
}

/// A date in UTC, for the script to rewrite: `21 Nov 2026 09:05 UTC`. Empty before 1970, and beyond what can be written.
fn date(time: SystemTime) -> String {
    const SHORT: &[BorrowedFormatItem<'_>] = format_description!("[day] [month repr:short] [year] [hour]:[minute] UTC");
    // HTML knows milliseconds, which tell the order of what was saved together.
    let since =
        time.duration_since(SystemTime::UNIX_EPOCH).ok().and_then(|since| i128::try_from(since.as_millis()).ok());
    let texts = since
        .and_then(|since| UtcDateTime::from_unix_timestamp_nanos(since * 1_000_000).ok())
        .and_then(|time| Some((time.format(&Rfc3339).ok()?, time.format(SHORT).ok()?)));
    texts.map(|(exact, short)| format!("<time datetime=\"{exact}\">{short}</time>")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Ordering;
    use std::time::Duration;

    fn named(name: &str, is_directory: bool) -> Entry {
        Entry { name: name.into(), is_directory, size: 1, modified: None }
    }

    #[test]
    fn names_are_in_the_order_of_people() {
        let expected = [
            "Alpha", "beta", "z9", "z10", // directories
            "1.txt", "2.txt", "10.txt", "B.txt", "FILE2", "file2", "File3", "file10", "file10b", "v1.9", "v1.10",
            "Ä.txt",
        ];
        let mut entries: Vec<_> = expected.iter().enumerate().map(|(number, name)| named(name, number < 4)).collect();
        entries.reverse();
        let found: Vec<_> = in_order(entries).into_iter().map(|entry| entry.name).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        // Sorting panics with an order that is none.
        #[test]
        fn the_order_is_one([a, b, c] in proptest::array::uniform3("[0129a.中é]{0,6}")) {
            let [ab, bc, ac] = [compare_str(&a, &b), compare_str(&b, &c), compare_str(&a, &c)];
            prop_assert_eq!(ab, compare_str(&b, &a).reverse());
            prop_assert_eq!(ab == Ordering::Equal, a == b);
            if ab == bc {
                prop_assert_eq!(ac, ab);
            }
        }
    }

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (1419, "1.42 kB"),
            (9_999, "10.0 kB"),
            (48_049, "48.0 kB"),
            (99_999, "100 kB"),
            (999_999, "1.00 MB"),
            (123_456_789, "123 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn dates_are_short() {
        assert_eq!(
            date(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * 31)),
            "<time datetime=\"1970-02-01T00:00:00Z\">01 Feb 1970 00:00 UTC</time>"
        );
        assert_eq!(
            date(SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890)),
            "<time datetime=\"1970-01-01T00:00:01.234Z\">01 Jan 1970 00:00 UTC</time>"
        );
        assert_eq!(date(SystemTime::UNIX_EPOCH + Duration::from_secs(300_000_000_000)), "");
    }

    #[test]
    fn a_readme_is_text() {
        let path = SitePath::from_url("/a%20b/README.md").unwrap();
        let readme = Readme { path, version: Version::of(b""), text: "\u{feff}\n# <b>&\n".into() };
        let html = below("", &readme);
        assert!(html.contains("data-path=\"/a%20b/README.md\""), "{html}");
        assert!(html.ends_with("<pre>\n\n# &lt;b&gt;&amp;\n</pre></section>"), "{html}");
    }

    // Windows has no such names.
    #[cfg(not(windows))]
    #[test]
    fn names_are_text() {
        let entry = Entry { name: "<b>&\"'".into(), is_directory: false, size: 1, modified: None };
        let row = row("", &SitePath::root(), &entry);
        assert_eq!(
            row,
            "<tr class=\"other\"><td><a href=\"/%3Cb%3E%26%22%27\">&lt;b&gt;&amp;&quot;&#39;</a><td><data value=\"1\">1 B</data><td>\n"
        );
    }
}
