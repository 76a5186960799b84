//! What a request finds: the place that answers its URL, and what was read there.

use actix_web::HttpRequest;
use actix_web::web;
use actix_web::web::Data;
use mime_guess::Mime;
use mime_guess::mime;

use crate::content::Version;
use crate::content::kind;
use crate::content::listing::Entry;
use crate::http::files::readme;
use crate::http::files::readme::Readme;
use crate::http::negotiate;
use crate::http::state::AppState;
use crate::notice::Notice;
use crate::site::SitePath;
use crate::site::resolve;
use crate::site::resolve::Answer;
use crate::site::resolve::Asked;
use crate::site::resolve::Conventions;
use crate::site::resolve::Look;
use crate::site::resolve::Redirection;
use crate::site::resolve::Resolution;
use crate::site::resolve::RuleRemark;
use crate::site::resolve::Standing;
use crate::source::Fetched;
use crate::source::FileContent;
use crate::source::ReadError;
use crate::source::Sources;
use crate::source::directory::large::Large;

/// How much of a large file is read to put the client into the head of a page, or to know what it is, in bytes.
const HEAD: u64 = 64 << 10;

/// What there is.
pub(crate) enum Found {
    File(SitePath, FileContent, Version),
    /// With its first bytes, if they decide what is sent.
    Large(SitePath, Box<Large>, Vec<u8>),
    Listing(SitePath, Vec<Entry>, Option<Readme>),
    Redirect(Redirection),
    /// Another instance has the file.
    Elsewhere,
}

/// What a request finds.
pub(crate) struct Finding {
    pub(crate) found: Result<Found, ReadError>,
    /// Whether what was found is the page for what is missing.
    pub(crate) is_missing: bool,
    /// What was looked for before, and is not there. If it comes, the answer is another.
    pub(crate) missing: Vec<SitePath>,
    remark: Option<(usize, RuleRemark)>,
}

/// A request for a URL.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) url: SitePath,
    query: String,
    wants_page: bool,
}

impl Question {
    pub(crate) fn new(request: &HttpRequest, url: SitePath) -> Self {
        let query = request.query_string().to_owned();
        let wants_page = negotiate::wants_page(request.headers(), &query, url.name());
        Self { url, query, wants_page }
    }

    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked { url: &self.url, query: &self.query, wants_page: self.wants_page }
    }
}

/// Looks by reading, and keeps what was read last.
struct Reader<F> {
    read: F,
    last: Option<Result<Fetched, ReadError>>,
    missing: Vec<SitePath>,
}

impl<F: FnMut(&SitePath) -> Option<Result<Fetched, ReadError>>> Look for Reader<F> {
    fn look(&mut self, place: &SitePath) -> Option<Standing> {
        let standing = match (self.read)(place)? {
            found @ (Ok(Fetched::File(_) | Fetched::Large(_) | Fetched::Elsewhere)
            | Err(ReadError::Unreadable(_) | ReadError::Away(_))) => {
                self.last = Some(found);
                Standing::File
            }
            Ok(Fetched::Directory) => {
                // No file is there.
                if !place.is_directory() {
                    self.missing.push(place.clone());
                }
                Standing::Directory
            }
            missing @ Err(ReadError::Missing | ReadError::Outside) => {
                self.missing.push(place.clone());
                // That a link leads out is worth more words than that nothing is there.
                if self.last.is_none() || matches!(missing, Err(ReadError::Outside)) {
                    self.last = Some(missing);
                }
                Standing::Missing
            }
        };
        Some(standing)
    }
}

/// What a URL is answered with, if the system has it in memory.
pub(crate) fn now(state: &AppState, conventions: &Conventions<'_>, question: &Question) -> Option<Finding> {
    let read = |place: &SitePath| state.sources.find_now(place).map(|content| Ok(Fetched::File(content)));
    let mut reader = Reader { read, last: None, missing: Vec::new() };
    let Resolution { place, answer, remark } = resolve::resolve(&question.asked(), conventions, &mut reader)?;
    match (answer, reader.last) {
        (Answer::File, Some(Ok(Fetched::File(content)))) => {
            let version = Version::of(&content.bytes);
            let found = Ok(Found::File(place, content, version));
            Some(Finding { found, is_missing: false, missing: reader.missing, remark })
        }
        (Answer::Redirect(redirection), _) => {
            let found = Ok(Found::Redirect(redirection));
            Some(Finding { found, is_missing: false, missing: reader.missing, remark })
        }
        _ => None,
    }
}

/// What a URL is answered with. May wait.
pub(crate) fn by_reading(sources: &Sources, conventions: &Conventions<'_>, question: &Question) -> Finding {
    let read = |place: &SitePath| Some(sources.fetch(place));
    let mut reader = Reader { read, last: None, missing: Vec::new() };
    let Some(resolution) = resolve::resolve(&question.asked(), conventions, &mut reader) else {
        return Finding { found: Err(ReadError::Missing), is_missing: true, missing: Vec::new(), remark: None };
    };
    let Resolution { place, answer, remark } = resolution;
    let is_missing = matches!(answer, Answer::NotFound | Answer::NotFoundPage);
    let found = match (answer, reader.last) {
        (Answer::Redirect(redirection), _) => Ok(Found::Redirect(redirection)),
        (Answer::Listing, _) => sources.entries(&place).map(|entries| listing(sources, place, entries)),
        (Answer::File | Answer::NotFoundPage, Some(Ok(Fetched::File(content)))) => {
            let version = Version::of(&content.bytes);
            Ok(Found::File(place, content, version))
        }
        (Answer::File | Answer::NotFoundPage, Some(Ok(Fetched::Large(large)))) => {
            let is_wanted = is_html(&kind::media_type(&place)) || kind::may_be_stream(&place);
            let head = if is_wanted { large.head(HEAD) } else { Ok(Vec::new()) };
            head.map(|head| Found::Large(place, large, head)).map_err(ReadError::from)
        }
        (Answer::File | Answer::NotFoundPage, Some(Ok(Fetched::Elsewhere))) => Ok(Found::Elsewhere),
        (_, Some(Err(error))) => Err(error),
        _ => Err(ReadError::Missing),
    };
    Finding { found, is_missing, missing: reader.missing, remark }
}

/// The same where that holds up nobody; `None` when the server stops.
pub(crate) async fn on_disk(state: &Data<AppState>, question: &Question) -> Option<Finding> {
    let (state, question) = (state.clone(), question.clone());
    let found = web::block(move || {
        let rules = state.rules();
        by_reading(&state.sources, &state.conventions(&rules), &question)
    });
    found.await.ok()
}

impl Finding {
    /// A directory with these entries. May wait.
    pub(crate) fn listing(sources: &Sources, place: SitePath, entries: Vec<Entry>) -> Self {
        Self { found: Ok(listing(sources, place, entries)), is_missing: false, missing: Vec::new(), remark: None }
    }

    /// Tells what became of a rule where hosts would not agree.
    pub(crate) fn tell(&self, state: &AppState) {
        let Some((line, remark)) = self.remark else { return };
        if !state.remarked.is_first(line, remark) {
            return;
        }
        let place = match &self.found {
            Ok(Found::File(place, ..) | Found::Large(place, ..) | Found::Listing(place, ..)) => Some(place),
            Ok(Found::Redirect(_) | Found::Elsewhere) | Err(_) => None,
        };
        (state.say)(&Notice::RuleUse { line, remark, place });
    }
}

fn listing(sources: &Sources, directory: SitePath, entries: Vec<Entry>) -> Found {
    let readme = readme::find(sources, &directory, &entries);
    Found::Listing(directory, entries, readme)
}

pub(crate) fn is_html(media_type: &Mime) -> bool {
    media_type.type_() == mime::TEXT && media_type.subtype() == mime::HTML
}
