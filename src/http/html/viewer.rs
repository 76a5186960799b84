//! The page that shows a file which somebody has opened in a tab, so that it is live there, too. Programs, frames and the
//! page itself get the file as it is.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use bytes::Bytes;
use mime_guess::Mime;
use mime_guess::mime;

use crate::content::Version;
use crate::content::kind;
use crate::content::kind::Kind;
use crate::http::files::resource::Resource;
use crate::http::html::inject::Tag;
use crate::http::html::page;
use crate::http::negotiate;
use crate::http::negotiate::Destination;
use crate::http::urls::VIEW_SCRIPT;
use crate::http::urls::VIEW_STYLE;
use crate::site::SitePath;

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// A JSON document, which can be folded.
    Json,
    /// Text of any kind.
    Text,
    /// Text that grows at its end.
    Log,
    /// A picture.
    Picture,
    /// A drawing that may have scripts of its own.
    Svg,
}

impl View {
    /// How a file is shown; `None` for what browsers show best by themselves, and for what they only download.
    pub(crate) fn of(path: &SitePath, media_type: &Mime) -> Option<Self> {
        let is_log = [".log", ".ndjson", ".jsonl"].iter().any(|ending| path.as_str().ends_with(ending));
        match (media_type.type_(), media_type.subtype()) {
            (mime::TEXT, mime::HTML) => None,
            (mime::IMAGE, mime::SVG) => Some(Self::Svg),
            (mime::IMAGE, _) => Some(Self::Picture),
            _ if is_log => Some(Self::Log),
            (mime::TEXT, mime::XML) => None,
            (mime::TEXT, _) => Some(Self::Text),
            _ if kind::of(path) == Kind::Document => Some(Self::Json),
            // A source map.
            (_, mime::JSON) => Some(Self::Text),
            _ => None,
        }
    }

    /// As `view.js` knows it.
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Log => "log",
            Self::Picture => "picture",
            Self::Svg => "svg",
        }
    }
}

/// The page for this file; `None` if the request is not for a tab, or the file is none that it shows.
pub(crate) fn page(
    request: &HttpRequest,
    base: &str,
    path: &SitePath,
    media_type: &Mime,
    version: Version,
) -> Option<HttpResponse> {
    if negotiate::destination_of(request) != Destination::Tab {
        return None;
    }
    let view = View::of(path, media_type)?;
    let tag = Tag { base, path, version, nonce: None, also: &[], loaded: None }.write();
    let (title, url) = (page::escape(path.name()), format!("{base}{}", path.to_url()));
    let html = format!(
        "<!doctype html>\n<html data-savecast=\"reload\">\n<head>{tag}\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{base}{VIEW_STYLE}\">\n\
         <script type=\"module\" src=\"{base}{VIEW_SCRIPT}\"></script>\n</head>\n\
         <body data-kind=\"{}\" data-path=\"{url}\"></body>\n</html>\n",
        view.name()
    );
    let content_type = mime::TEXT_HTML_UTF_8.as_ref();
    let whole = Resource { path, content_type, etag: page::etag(version), version, modified: None };
    Some(whole.respond_as_ours(request, Bytes::from(html)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<View>) {
        let path = SitePath::from_url(name).unwrap();
        assert_eq!(View::of(&path, &kind::media_type(&path)), expected, "{name}");
    }

    #[test]
    fn what_is_readable_is_shown() {
        check("/data.json", Some(View::Json));
        check("/map.geojson", Some(View::Json));
        check("/notes.md", Some(View::Text));
        check("/table.csv", Some(View::Text));
        check("/app.js", Some(View::Text));
        check("/app.js.map", Some(View::Text));
        check("/app.ts", Some(View::Text));
        check("/server.log", Some(View::Log));
        check("/events.ndjson", Some(View::Log));
        check("/events.jsonl", Some(View::Log));
        check("/photo.jpg", Some(View::Picture));
        check("/drawing.svg", Some(View::Svg));
        for other in ["/index.html", "/feed.xml", "/film.mp4", "/font.woff2", "/archive.zip", "/paper.pdf"] {
            check(other, None);
        }
    }
}
