//! `_redirects`: which URL leads where.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use crate::site::rules::line::LINE;
use crate::site::rules::line::Remark;
use crate::site::rules::line::RemarkKind;
use crate::site::rules::line::lines;
use crate::site::rules::pattern::Captures;
use crate::site::rules::pattern::Pattern;
use crate::site::rules::pattern::fill_url;
use crate::site::rules::pattern::names_in;

/// How many rules there may be.
const RULES: usize = 10_000;

/// How many lines that make no sense are named.
const REMARKS: usize = 100;

/// What is said then, and of more rules than there may be.
const TOO_MUCH: &str =
    "nothing is followed from here on: a file has 10,000 rules at most, and 100 lines that make no sense are enough";

/// How often a redirect may lead to another one.
const HOPS: usize = 20;

/// The rules of `_redirects`.
#[derive(Debug, Default)]
pub struct Redirects {
    rules: Vec<Redirect>,
    /// Where those stand that mean one path, by that path; the others, in order.
    single: HashMap<String, Vec<usize>>,
    open: Vec<usize>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// The number of its line, from 1.
    pub line: usize,
    from: Pattern,
    /// The parameters that the query must have.
    query: Vec<(String, Wanted)>,
    to: String,
    /// What it answers with.
    pub status: u16,
    /// Whether it holds where a file is, too.
    pub is_forced: bool,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Exactly this value.
    Value(String),
    /// Any, which is filled in under this name.
    Name(String),
}

/// A rule that holds for what was asked.
#[derive(Debug)]
pub struct Matched<'a> {
    /// The rule.
    pub rule: &'a Redirect,
    /// Where it leads, as it stands in a URL.
    pub to: String,
}

impl Redirects {
    /// Reads the file.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<Remark>) {
        let mut redirects = Self::default();
        let mut remarks = Vec::new();
        let mut differs = Vec::<Remark>::new();
        for (number, line) in lines(text) {
            let remark = |kind, message| Remark { line: number, message, kind };
            if redirects.rules.len() >= RULES {
                remarks.push(remark(RemarkKind::Unsupported, TOO_MUCH.into()));
                break;
            }
            let read = parse_line(number, line, &mut |message| differs.push(remark(RemarkKind::Differs, message)));
            match read.and_then(|rule| redirects.check(&rule).map(|()| rule)) {
                Ok(rule) => redirects.push(rule),
                // Sites have hundreds of rules for other countries and languages. The first of them say enough.
                Err((RemarkKind::Unsupported, _)) if remarks.len() >= REMARKS => {}
                Err(_) if remarks.len() >= REMARKS => {
                    remarks.push(remark(RemarkKind::Broken, TOO_MUCH.into()));
                    break;
                }
                Err((kind, message)) => remarks.push(remark(kind, message)),
            }
        }
        // Once for each kind is enough.
        differs.sort_by(|a, b| (&a.message, a.line).cmp(&(&b.message, b.line)));
        differs.dedup_by(|later, first| later.message == first.message);
        remarks.extend(differs);
        remarks.sort_by_key(|remark| remark.line);
        (redirects, remarks)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn push(&mut self, rule: Redirect) {
        let at = self.rules.len();
        match rule.from.single() {
            Some(path) => self.single.entry(path).or_default().push(at),
            None => self.open.push(at),
        }
        self.rules.push(rule);
    }

    /// The first rule for a decoded path and a query as it was asked.
    #[must_use]
    pub fn find(&self, path: &str, query: &str) -> Option<Matched<'_>> {
        if self.rules.is_empty() {
            return None;
        }
        let single = self.find_single(path, query);
        // Of the others, only those before it may come first.
        let end = single.as_ref().map_or(usize::MAX, |matched| matched.rule.line);
        let open = self.open.iter().map(|at| &self.rules[*at]).take_while(|rule| rule.line < end);
        open.into_iter().find_map(|rule| rule.matched(path, query)).or(single)
    }

    /// The first one of those that mean one path.
    fn find_single(&self, path: &str, query: &str) -> Option<Matched<'_>> {
        let plain = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        let single = self.single.get(plain).into_iter().flatten().copied();
        single.map(|at| &self.rules[at]).find_map(|rule| rule.matched(path, query))
    }

    /// A rule must not lead back to where it began.
    fn check(&self, rule: &Redirect) -> Result<(), (RemarkKind, String)> {
        let is_redirect = (300..400).contains(&rule.status);
        if !is_redirect || !rule.to.starts_with('/') {
            return Ok(());
        }
        let broken = |message: String| Err((RemarkKind::Broken, message));
        let example = rule.from.example();
        let wanted = rule.query.iter().map(|(name, value)| match value {
            Wanted::Value(value) => format!("{name}={value}"),
            Wanted::Name(_) => format!("{name}=x"),
        });
        let query = wanted.collect::<Vec<_>>().join("&");
        let Some(first) = rule.matched(&example, &query) else { return Ok(()) };
        let uses_names = !names_in(&rule.to).is_empty();
        let (path, query) = parts(&first.to);
        let leads_to_itself = rule.matched(&path, query).is_some();
        if leads_to_itself && rule.from.single().is_some() {
            let is_slash = rule.query.is_empty() && !rule.to.contains(['?', '#']);
            let why = if is_slash { ": a slash at the end makes no difference in a rule" } else { "" };
            return broken(format!("this leads to itself{why}"));
        }
        if leads_to_itself && (rule.is_forced || uses_names) {
            return broken(format!("this leads to itself, again and again: {example} to {}", first.to));
        }
        // Those that mean one path alone can be followed.
        if rule.from.single().is_none() {
            return Ok(());
        }
        let mut to = first.to;
        for _ in 0..HOPS {
            let (path, query) = parts(&to);
            if rule.matched(&path, query).is_some() {
                return broken(format!("this leads in a circle, back to {example}"));
            }
            let next = self.find_single(&path, query);
            let Some(next) = next.filter(|next| (300..400).contains(&next.rule.status) && next.to.starts_with('/'))
            else {
                return Ok(());
            };
            to = next.to;
        }
        Ok(())
    }
}

/// The decoded path of a target, and its query.
fn parts(target: &str) -> (Cow<'_, str>, &str) {
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (percent_decode_str(path).decode_utf8_lossy(), query)
}

impl Redirect {
    /// Where it leads, if it holds. What is in the query besides is passed on, unless the target has a query.
    fn matched(&self, path: &str, query: &str) -> Option<Matched<'_>> {
        let mut captures = self.from.matches(path)?;
        let rest = self.take_query(query, &mut captures)?;
        let mut to = fill_url(&self.to, &captures);
        if !rest.is_empty() && !self.to.contains('?') {
            let fragment = to.find('#').map(|at| to.split_off(at)).unwrap_or_default();
            to = format!("{to}?{rest}{fragment}");
        }
        Some(Matched { rule: self, to })
    }

    /// The query without what the rule names; `None` if that is not all there.
    fn take_query<'a>(&self, query: &'a str, captures: &mut Captures) -> Option<Cow<'a, str>> {
        if self.query.is_empty() {
            return Some(query.into());
        }
        let mut parameters = query.split('&').filter(|parameter| !parameter.is_empty()).collect::<Vec<_>>();
        for (name, wanted) in &self.query {
            let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
            let value_of = |parameter: &str| {
                let (found, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                (decoded(found) == *name).then(|| decoded(value))
            };
            let at = parameters.iter().position(|parameter| value_of(parameter).is_some())?;
            let value = value_of(parameters.remove(at))?;
            match wanted {
                Wanted::Value(wanted) if *wanted != value => return None,
                Wanted::Value(_) => {}
                Wanted::Name(name) => captures.push((name.clone(), value)),
            }
        }
        Some(parameters.join("&").into())
    }

    /// Whether it shows one page for whatever is below a path: the line of a single-page app. It is for documents.
    #[must_use]
    pub fn is_app(&self) -> bool {
        self.status == 200 && self.from.has_splat() && names_in(&self.to).is_empty() && {
            let path = self.to.split(['?', '#']).next().unwrap_or_default();
            path.ends_with('/') || path.rsplit_once('.').is_some_and(|(_, ending)| ending == "html")
        }
    }

    /// Whether it means one path alone.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.from.single().is_some()
    }
}

fn parse_line(line: usize, text: &str, differs: &mut impl FnMut(String)) -> Result<Redirect, (RemarkKind, String)> {
    let broken = |message: String| (RemarkKind::Broken, message);
    let unsupported = |message: String| (RemarkKind::Unsupported, message);
    if text.chars().count() > LINE {
        return Err(broken(format!("a line has {LINE} characters at most")));
    }
    let mut words = text.split_whitespace().take_while(|word| !word.starts_with('#')).peekable();
    let from = words.next().unwrap_or_default();
    let is_elsewhere = from.contains("://");
    let from =
        Pattern::parse(from).map_err(|message| if is_elsewhere { unsupported(message) } else { broken(message) })?;
    let is_target = |word: &&str| word.starts_with('/') || word.starts_with("http://") || word.starts_with("https://");
    let mut query = Vec::new();
    while let Some(word) = words.next_if(|word| !is_target(word)) {
        let Some((name, value)) = word.split_once('=') else {
            return Err(broken(format!("a path or a URL is needed behind {}, and not {word:?}", from_of(text))));
        };
        let decoded = percent_decode_str(value).decode_utf8_lossy().into_owned();
        let wanted = value.strip_prefix(':').map_or(Wanted::Value(decoded), |name| Wanted::Name(name.to_owned()));
        query.push((name.to_owned(), wanted));
    }
    let Some(to) = words.next() else {
        return Err(broken(format!("where {} leads to is missing", from_of(text))));
    };
    let (status, is_forced) = match words.next() {
        None => {
            differs("without a status, this is a 301 as on Netlify; Cloudflare answers 302".into());
            (301, false)
        }
        Some(word) if word.contains('=') => return Err(unsupported(conditions(word))),
        Some(word) => {
            let (number, is_forced) = word.strip_suffix('!').map_or((word, false), |number| (number, true));
            let status = number.parse().ok().filter(|status| matches!(status, 200 | 301..=303 | 307 | 308 | 404));
            let status = status.ok_or_else(|| {
                broken(format!("{word:?} is no status that a rule may have: 200, 301, 302, 303, 307, 308 or 404"))
            })?;
            (status, is_forced)
        }
    };
    if let Some(word) = words.next() {
        return Err(if word.contains('=') {
            unsupported(conditions(word))
        } else {
            broken(format!("{word:?} is too much"))
        });
    }
    if to.starts_with("//") {
        return Err(broken("a URL of another server begins with http:// or https://".into()));
    }
    let names = from.names();
    let is_known = |name: &&str| {
        names.contains(name) || query.iter().any(|(_, wanted)| matches!(wanted, Wanted::Name(known) if known == name))
    };
    // A port is no name, and neither is what stands in the name of the other server.
    if let Some(name) = names_in(path_of(to)).into_iter().find(|name| !is_known(name)) {
        return Err(broken(format!(":{name} stands for nothing in {}", from_of(text))));
    }
    if !to.starts_with('/') && !(300..400).contains(&status) {
        return Err(match status {
            200 => unsupported(format!(
                "what another server says will be an answer with --proxy {}={}, which is not there yet",
                from_of(text).trim_end_matches("/*"),
                to.split("/:").next().unwrap_or_default()
            )),
            _ => broken(format!("a {status} shows a page of this site")),
        });
    }
    let kind = match status {
        303 | 307 | 308 => Some(format!("a {status} is for Cloudflare; Netlify has none")),
        404 => Some("a 404 is for Netlify; Cloudflare ignores this line".into()),
        _ if is_forced => Some("! is for Netlify; Cloudflare ignores this line, because its rules always win".into()),
        _ if !query.is_empty() => Some("a query is for Netlify; Cloudflare ignores this line".into()),
        _ if from_of(text).trim_end_matches('*').contains('*') || from_of(text).ends_with("**") => {
            Some("a * that is not at the end is for Cloudflare; Netlify ignores what is behind it".into())
        }
        _ => None,
    };
    kind.into_iter().for_each(differs);
    Ok(Redirect { line, from, query, to: to.to_owned(), status, is_forced })
}

fn from_of(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

/// A target without the server that it is of.
fn path_of(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://") else { return target };
    rest.find('/').map_or("", |slash| &rest[slash..])
}

fn conditions(word: &str) -> String {
    let name = word.split('=').next().unwrap_or_default();
    format!("the condition {name} can't be followed here, so this rule is left out")
}

#[cfg(test)]
mod tests;
