//! What a URL means: which place answers it, and how. Nobody else knows what an index is, what `about.html` has to do with
//! `/about`, or what the rules of a site say.
//!
//! Pure, but for the question what stands at a place. Who asks answers it in its own way: from the disk, from what is in
//! memory, from what has settled.

use crate::site::path::SitePath;
use crate::site::rules;
use crate::site::rules::redirects::Matched;
use crate::site::rules::redirects::Redirects;

/// The page of a directory.
const INDEX: &str = "index.html";

/// The page for what is missing, in its directory or one above.
const NOT_FOUND: &str = "404.html";

/// The page for documents that don't exist, as Surge and others have it.
const FALLBACK: &str = "200.html";

/// What stands at a place, as far as that decides what a URL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A file, or something else that has contents; perhaps it can't be read.
    File,
    /// A directory. Asked for without the slash at its end, it stands there all the same.
    Directory,
    /// Nothing that may be shown.
    Missing,
}

/// Says what stands at a place.
pub trait Look {
    /// `None` if that can't be said now.
    fn look(&mut self, place: &SitePath) -> Option<Standing>;
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The path of the URL.
    pub url: &'a SitePath,
    /// Its query, as it stands in the URL.
    pub query: &'a str,
    /// Whether a page is wanted, and not a script, a picture, or data.
    pub wants_page: bool,
}

/// How a site wants its URLs to be read.
#[derive(Clone, Copy, Debug)]
pub struct Conventions<'a> {
    /// The rules of `_redirects`.
    pub redirects: &'a Redirects,
    /// Whether the start page answers for all pages that don't exist.
    pub is_app: bool,
}

/// How a URL is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With the file at the place.
    File,
    /// With what is in the directory at the place.
    Listing,
    /// With another URL.
    Redirect(Redirection),
    /// With the file at the place, as the page for what is missing.
    NotFoundPage,
    /// With nothing: there is no such file.
    NotFound,
}

/// The way to another URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// The status, 301 to 308.
    pub status: u16,
    /// As it stands in a URL.
    pub to: String,
}

/// What a URL means now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What answers it.
    pub place: SitePath,
    /// How.
    pub answer: Answer,
    /// What its author may want to know of a rule, by the number of its line.
    pub remark: Option<(usize, RuleRemark)>,
}

/// What became of a rule that matched, where hosts would not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleRemark {
    /// A file is there, which comes first.
    Hidden,
    /// It is for pages, and none was asked for.
    ForPages,
}

/// What a `GET` of this URL is answered with; `None` if that can't be said now.
pub fn resolve(asked: &Asked<'_>, conventions: &Conventions<'_>, look: &mut impl Look) -> Option<Resolution> {
    if rules::is_rules(asked.url) {
        return Some(Resolution::of(asked.url.clone(), Answer::NotFound));
    }
    let rule = conventions.redirects.find(asked.url.as_str(), asked.query);
    if let Some(rule) = rule.as_ref().filter(|rule| rule.rule.is_forced) {
        let applied = apply(rule, asked, look)?;
        return if applied.answer == Answer::NotFound { not_found(asked.url, look) } else { Some(applied) };
    }
    let mut found = at(asked, look)?;
    let is_there = match &found.answer {
        // Hosts list no directories, so a directory is there when its page is.
        Answer::Redirect(_) if rule.is_some() || conventions.is_app => has_page(asked.url, look)?,
        Answer::File | Answer::Redirect(_) => true,
        Answer::Listing | Answer::NotFoundPage | Answer::NotFound => false,
    };
    if is_there {
        found.remark = rule.filter(|rule| rule.rule.is_single()).map(|rule| (rule.rule.line, RuleRemark::Hidden));
        return Some(found);
    }
    let mut remark = None;
    if let Some(rule) = &rule {
        // Hosts would answer for a missing script with HTML, which nobody wants to find out.
        if rule.rule.is_app() && !asked.wants_page {
            remark = Some((rule.rule.line, RuleRemark::ForPages));
        } else {
            let applied = apply(rule, asked, look)?;
            if applied.answer != Answer::NotFound {
                return Some(applied);
            }
        }
    } else if asked.wants_page {
        let fallbacks = [Some(FALLBACK), conventions.is_app.then_some(INDEX)];
        for name in fallbacks.into_iter().flatten() {
            if let Some(place) = SitePath::root().file(name)
                && (found.answer == Answer::NotFound || conventions.is_app)
                && look.look(&place)? == Standing::File
            {
                return Some(Resolution::of(place, Answer::File));
            }
        }
    }
    if found.answer != Answer::NotFound {
        return Some(found);
    }
    Some(Resolution { remark, ..not_found(asked.url, look)? })
}

/// What a stream of this URL is of. That of a directory is its listing, also where it has an index; that of what is missing
/// waits for it.
pub fn stream(asked: &Asked<'_>, conventions: &Conventions<'_>, look: &mut impl Look) -> Option<Resolution> {
    let itself = |answer| Resolution::of(asked.url.clone(), answer);
    let rule = conventions.redirects.find(asked.url.as_str(), asked.query);
    if rule.as_ref().is_none_or(|rule| !rule.rule.is_forced) {
        if asked.url.is_directory() {
            let is_there = rule.is_none() || look.look(asked.url)? == Standing::Directory;
            if is_there {
                return Some(itself(Answer::Listing));
            }
        } else {
            let found = at(asked, look)?;
            if found.answer != Answer::NotFound {
                return Some(found);
            }
        }
    }
    if let Some(rule) = rule.filter(|rule| !rule.rule.is_app() && rule.rule.status != 404) {
        let applied = apply(&rule, asked, look)?;
        if applied.answer != Answer::NotFound {
            return Some(applied);
        }
    }
    Some(itself(Answer::NotFound))
}

/// The page of a directory.
#[must_use]
pub fn index(url: &SitePath) -> Option<SitePath> {
    url.is_directory().then(|| url.file(INDEX)).flatten()
}

impl Resolution {
    /// This place, answered so.
    #[must_use]
    pub fn of(place: SitePath, answer: Answer) -> Self {
        Self { place, answer, remark: None }
    }

    fn redirect(asked: &Asked<'_>, place: &SitePath) -> Self {
        let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
        let to = format!("{}{query}", place.to_url());
        Self::of(asked.url.clone(), Answer::Redirect(Redirection { status: 307, to }))
    }
}

/// What is there, without rules.
fn at(asked: &Asked<'_>, look: &mut impl Look) -> Option<Resolution> {
    let url = asked.url;
    let itself = |answer| Resolution::of(url.clone(), answer);
    if url.is_directory() {
        if let Some(index) = index(url)
            && look.look(&index)? == Standing::File
        {
            return Some(Resolution::of(index, Answer::File));
        }
        let standing = look.look(url)?;
        // Relative URLs in a page would go wrong if it had a slash at its end.
        let file = url.as_file();
        let page = file.as_ref().and_then(SitePath::page);
        for place in [file.clone().filter(|_| standing != Standing::Directory), page].into_iter().flatten() {
            if look.look(&place)? == Standing::File {
                return Some(Resolution::redirect(asked, file.as_ref().unwrap_or(url)));
            }
        }
        if standing == Standing::Directory {
            return Some(itself(Answer::Listing));
        }
        return Some(itself(Answer::NotFound));
    }
    let standing = look.look(url)?;
    if standing == Standing::File {
        return Some(itself(Answer::File));
    }
    if let Some(page) = url.page()
        && look.look(&page)? == Standing::File
    {
        return Some(Resolution::of(page, Answer::File));
    }
    // Relative URLs in the page of a directory would go wrong without the slash.
    Some(match standing {
        Standing::Directory => Resolution::redirect(asked, &url.as_directory()),
        Standing::File | Standing::Missing => itself(Answer::NotFound),
    })
}

/// Whether a directory that is asked for without its slash, or a page with one, has a page.
fn has_page(url: &SitePath, look: &mut impl Look) -> Option<bool> {
    if url.is_directory() {
        return Some(true);
    }
    let index = url.as_directory().file(INDEX);
    Some(match index {
        Some(index) => look.look(&index)? == Standing::File,
        None => false,
    })
}

/// What a rule says. It leads to nothing if that is not there, or what was asked for itself.
fn apply(matched: &Matched<'_>, asked: &Asked<'_>, look: &mut impl Look) -> Option<Resolution> {
    let Matched { rule, to } = matched;
    let nothing = || Some(Resolution::of(asked.url.clone(), Answer::NotFound));
    let place = SitePath::from_url(to.split(['?', '#']).next().unwrap_or_default());
    if (300..400).contains(&rule.status) {
        // Browsers would give up after a few rounds.
        if place.as_ref() == Some(asked.url) {
            return nothing();
        }
        let redirection = Redirection { status: rule.status, to: to.clone() };
        return Some(Resolution::of(asked.url.clone(), Answer::Redirect(redirection)));
    }
    let Some(place) = place.filter(|place| !rules::is_rules(place)) else { return nothing() };
    let candidates = if place.is_directory() {
        [place.file(INDEX), None, None]
    } else {
        [Some(place.clone()), place.page(), place.as_directory().file(INDEX)]
    };
    for place in candidates.into_iter().flatten() {
        if look.look(&place)? == Standing::File {
            let answer = if rule.status == 404 { Answer::NotFoundPage } else { Answer::File };
            return Some(Resolution::of(place, answer));
        }
    }
    // A directory without a page is shown as it is.
    if rule.status == 200 && look.look(&place.as_directory())? == Standing::Directory {
        return Some(Resolution::of(place.as_directory(), Answer::Listing));
    }
    nothing()
}

/// The nearest page for what is missing.
fn not_found(url: &SitePath, look: &mut impl Look) -> Option<Resolution> {
    // Below a directory that isn't there, nothing is looked for: a URL may have a thousand of them.
    let mut directories = Vec::new();
    for directory in url.directories() {
        if directory != SitePath::root() && look.look(&directory)? != Standing::Directory {
            break;
        }
        directories.push(directory);
    }
    for page in directories.iter().rev().filter_map(|directory| directory.file(NOT_FOUND)) {
        if look.look(&page)? == Standing::File {
            return Some(Resolution::of(page, Answer::NotFoundPage));
        }
    }
    Some(Resolution::of(url.clone(), Answer::NotFound))
}

#[cfg(test)]
mod tests;
