//! What our own pages have in common.

use actix_web::http::header::EntityTag;

use crate::content::Version;
use crate::http::html::inject::Tag;

const STYLE: &str = include_str!("../../../static/ui/pages.css");

/// The `ETag` of a page with the client in it, which is another one after an update of savecast.
pub(crate) fn etag(version: Version) -> EntityTag {
    EntityTag::new_strong(format!("{version}-{}", env!("CARGO_PKG_VERSION")))
}

/// A page with this tag, if there is one. One with a script of its own, in its `head`, is never changed in
/// place by the client.
pub(crate) fn write(tag: Option<Tag<'_>>, title: &str, head: &str, body: &str) -> String {
    let tag = tag.map(|tag| tag.write()).unwrap_or_default();
    let (title, option) = (escape(title), if head.is_empty() { "" } else { " data-savecast=\"reload\"" });
    format!(
        "<!doctype html>\n<html lang=\"en\"{option}>\n<head>{tag}\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n{head}</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
}

/// Text that is safe in HTML, also inside a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
