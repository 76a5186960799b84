//! A line about a file, which grows as more happens to it. Pure.

use std::time::Duration;
use std::time::Instant;

use crate::console;
use crate::site::SitePath;

/// How much of a path is shown at least.
const SHORTEST: usize = 12;

/// Within this time, all tabs say what they have made of a save. For pages of another server, nothing else tells one save from the next.
const TOGETHER: Duration = Duration::from_secs(1);

/// What happened to a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Activity {
    pub(super) path: SitePath,
    pub(super) verb: String,
    /// How many others are meant, too.
    pub(super) more: usize,
    pub(super) by: By,
    pub(super) at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum By {
    /// It was sent to so many listeners in so many milliseconds.
    Server(usize, f64),
    /// A tab says what it has made of it.
    Tab,
    Removal,
}

/// A line about a file, which grows as more happens to it.
pub(super) struct Shown {
    pub(super) activity: Activity,
    pub(super) listeners: Option<(usize, f64)>,
    /// How many tabs have said what they made of the last save, and whether there was another save since.
    pub(super) tabs: usize,
    pub(super) is_over: bool,
    pub(super) saves: usize,
    /// When a tab has said so last.
    heard: Option<Instant>,
    pub(super) drawn: Instant,
    pub(super) is_dirty: bool,
}

impl Shown {
    pub(super) fn new(activity: Activity) -> Self {
        let empty = Activity { by: By::Removal, ..activity.clone() };
        let mut shown = Self {
            activity: empty,
            listeners: None,
            tabs: 0,
            is_over: false,
            saves: 0,
            heard: None,
            drawn: Instant::now(),
            is_dirty: true,
        };
        shown.add(activity);
        shown
    }

    pub(super) fn add(&mut self, activity: Activity) {
        self.is_dirty = true;
        match activity.by {
            By::Tab => {
                let is_later = |heard| activity.at.duration_since(heard) > TOGETHER;
                let is_next = self.listeners.is_none() && self.heard.is_some_and(is_later);
                if self.is_over || is_next || self.activity.verb != activity.verb {
                    self.tabs = 0;
                }
                self.saves += usize::from(is_next);
                self.heard = Some(activity.at);
                (self.is_over, self.tabs) = (false, self.tabs + 1);
                (self.activity.verb, self.activity.more) = (activity.verb, activity.more);
                self.saves = self.saves.max(1);
            }
            By::Server(listeners, ms) => {
                (self.is_over, self.listeners) = (true, Some((listeners, ms)));
                self.saves += 1;
                // What tabs have made of the save before, they will make of this one, or say something else.
                if self.tabs == 0 {
                    self.activity.verb = activity.verb;
                }
            }
            By::Removal => (self.activity.verb, self.tabs, self.listeners) = (activity.verb, 0, None),
        }
    }

    /// `16:02:07 reloaded /index.html · 2 tabs · 0.12 ms`, no longer than so many letters.
    pub(super) fn line(&self, time: &str, width: usize, is_coloured: bool) -> String {
        let plural = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        let mut parts = Vec::new();
        if self.activity.more > 0 {
            parts.push(format!("and {}", plural(self.activity.more, "other")));
        }
        match (self.tabs, self.listeners) {
            (0, Some((listeners, _))) => parts.push(plural(listeners, "listener")),
            (0, None) => {}
            (tabs, _) => parts.push(plural(tabs, "tab")),
        }
        parts.extend(self.listeners.map(|(_, ms)| format!("{ms:.2} ms")));
        if self.saves > 1 {
            parts.push(format!("{} times", self.saves));
        }
        let (verb, path) = (&self.activity.verb, console::printable::printable(self.activity.path.as_str()));
        let length = |text: &str| text.chars().count();
        let before = time.len() + verb.len() + 2;
        let rest = |parts: &[String]| parts.iter().fold(String::new(), |rest, part| rest + " · " + part);
        // The path says more than the last of the rest.
        while !parts.is_empty() && before + length(&rest(&parts)) + SHORTEST.min(length(&path)) > width {
            parts.pop();
        }
        let rest = rest(&parts);
        let room = width.saturating_sub(before + length(&rest));
        let path = if length(&path) > room {
            // The end of a path says more than its start.
            let skipped = length(&path) - room.saturating_sub(1);
            format!("…{}", path.chars().skip(skipped).collect::<String>())
        } else {
            path
        };
        if is_coloured {
            format!("\x1b[2m{time}\x1b[0m \x1b[32m{verb}\x1b[0m {path}\x1b[2m{rest}\x1b[0m")
        } else {
            format!("{time} {verb} {path}{rest}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(verb: &str, by: By) -> Activity {
        Activity {
            path: SitePath::from_url("/a/style.css").unwrap(),
            verb: verb.into(),
            more: 0,
            by,
            at: Instant::now(),
        }
    }

    #[test]
    fn saves_of_which_only_tabs_tell_are_told_apart_by_time() {
        let tab = activity("changed", By::Tab);
        let mut shown = Shown::new(tab.clone());
        shown.add(tab.clone());
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 changed /a/style.css · 2 tabs");
        for save in 2..4 {
            shown.add(Activity { at: tab.at + 2 * TOGETHER * save, ..tab.clone() });
        }
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 changed /a/style.css · 1 tab · 3 times");
    }

    #[test]
    fn a_line_grows_with_what_happens() {
        let mut shown = Shown::new(activity("sent", By::Server(3, 0.123)));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 sent /a/style.css · 3 listeners · 0.12 ms");
        shown.add(activity("swapped", By::Tab));
        shown.add(activity("swapped", By::Tab));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 swapped /a/style.css · 2 tabs · 0.12 ms");
        shown.add(activity("sent", By::Server(3, 0.5)));
        shown.add(activity("swapped", By::Tab));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 swapped /a/style.css · 1 tab · 0.50 ms · 2 times");
        assert_eq!(shown.line("16:02:07", 50, false), "16:02:07 swapped /a/style.css · 1 tab · 0.50 ms");
        assert_eq!(shown.line("16:02:07", 30, false), "16:02:07 swapped /a/style.css");
        assert_eq!(shown.line("16:02:07", 25, false), "16:02:07 swapped …yle.css");
        shown.add(activity("gone", By::Removal));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 gone /a/style.css · 2 times");
    }
}
