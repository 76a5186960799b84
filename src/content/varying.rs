//! What of a text changes by itself: tokens, times and numbers that are others in each answer. Pure.
//!
//! The client compares pages in the same way: `static/page/varying.js`. Both are held by the cases in `tests/varying.json`.

use std::ops::Range;

/// After so many differences, all that is between the first and the last counts as one.
const MOST: usize = 1000;

/// How long a word is at least that looks as if nobody had chosen it.
const RANDOM: usize = 16;

/// Characters that are a word of their own.
const BETWEEN: &[u8] = b"<>\"'&;,()[]{}=:/?";

/// A place where two texts differ: the words of the one, and those of the other.
type Hunk = (Range<usize>, Range<usize>);

/// What a text says, compared with what it said before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same, but for what is another each time.
    Same,
    /// Other numbers, or words that nobody has chosen. That may be a time, which was the same by chance when it was asked again.
    Perhaps,
    /// Something else.
    Changed,
}

/// Compares a text with what it was before; `again` is the same text as `now`, asked for once more, or more often.
#[must_use]
pub fn compare(before: &str, now: &str, again: &[&str]) -> Outcome {
    let (before, now) = (words(before), words(now));
    let varying = again.iter().flat_map(|again| hunks(&now, &words(again))).map(|(place, _)| place).collect::<Vec<_>>();
    let is_varying =
        |place: &Range<usize>| varying.iter().any(|varying| varying.start <= place.start && place.end <= varying.end);
    let mut others = hunks(&before, &now);
    others.retain(|(_, place)| !is_varying(place));
    let may_vary = |word: &&str| word.bytes().all(|byte| BETWEEN.contains(&byte)) || is_number(word) || is_random(word);
    if others.is_empty() {
        Outcome::Same
    } else if others.iter().all(|(old, new)| before[old.clone()].iter().chain(&now[new.clone()]).all(may_vary)) {
        Outcome::Perhaps
    } else {
        Outcome::Changed
    }
}

/// Numbers, times and dates, also with a unit: `12.5ms`, `2026-11-28T16`.
fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit() || b".-+TZms%".contains(&byte))
        && word.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_random(word: &str) -> bool {
    word.len() >= RANDOM
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_.~".contains(&byte))
}

fn words(text: &str) -> Vec<&str> {
    let is_between = |byte: u8| byte.is_ascii_whitespace() || BETWEEN.contains(&byte);
    let mut words = Vec::new();
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if is_between(byte) {
            words.extend((start < at).then(|| &text[start..at]));
            words.push(&text[at..=at]);
            start = at + 1;
        }
    }
    words.extend((start < text.len()).then(|| &text[start..]));
    words
}

/// The places where they differ, by the algorithm of Myers ("An O(ND) Difference Algorithm and Its Variations", 1986).
fn hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let start = old.iter().zip(new).take_while(same).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(same).count();
    let (old, new) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    let all = vec![(start..start + old.len(), start..start + new.len())];
    if old.is_empty() || new.is_empty() {
        return all;
    }
    let Some(steps) = steps(old, new) else { return all };
    let mut hunks: Vec<Hunk> = Vec::new();
    for (x, y, is_removal) in steps {
        let (old_end, new_end) = (start + x + usize::from(is_removal), start + y + usize::from(!is_removal));
        match hunks.last_mut().filter(|(old, new)| old.end == start + x && new.end == start + y) {
            Some((old, new)) => (old.end, new.end) = (old_end, new_end),
            None => hunks.push((start + x..old_end, start + y..new_end)),
        }
    }
    hunks
}

/// The shortest way from one to the other: at which places a word is removed, or else put in. `None` if it is too long.
fn steps(old: &[&str], new: &[&str]) -> Option<Vec<(usize, usize, bool)>> {
    // How far one gets on each diagonal (of the place in the old one minus that in the new one) with so many steps.
    let most = MOST.min(old.len() + new.len());
    let mut reach = vec![0_usize; 2 * most + 3];
    let mut trace = Vec::new();
    let at = |diagonal: isize| (diagonal + most.cast_signed() + 1).cast_unsigned();
    for steps in 0..=most.cast_signed() {
        trace.push(reach.clone());
        for diagonal in (-steps..=steps).step_by(2) {
            let is_down =
                diagonal == -steps || (diagonal != steps && reach[at(diagonal - 1)] < reach[at(diagonal + 1)]);
            let mut x = if is_down { reach[at(diagonal + 1)] } else { reach[at(diagonal - 1)] + 1 };
            let Some(mut y) = x.checked_add_signed(-diagonal) else { continue };
            while x < old.len() && y < new.len() && old[x] == new[y] {
                (x, y) = (x + 1, y + 1);
            }
            reach[at(diagonal)] = x;
            if x >= old.len() && y >= new.len() {
                return Some(back(&trace, (old.len(), new.len()), at));
            }
        }
    }
    None
}

/// The way back from the end.
fn back(
    trace: &[Vec<usize>],
    (mut x, mut y): (usize, usize),
    at: impl Fn(isize) -> usize,
) -> Vec<(usize, usize, bool)> {
    let mut found = Vec::new();
    for (steps, reach) in trace.iter().enumerate().skip(1).rev() {
        let (steps, diagonal) = (steps.cast_signed(), x.cast_signed() - y.cast_signed());
        let is_down = diagonal == -steps || (diagonal != steps && reach[at(diagonal - 1)] < reach[at(diagonal + 1)]);
        let before = if is_down { diagonal + 1 } else { diagonal - 1 };
        x = reach[at(before)];
        y = x.checked_add_signed(-before).unwrap_or_default();
        found.push((x, y, !is_down));
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn what_varies_by_itself_is_no_change() {
        let cases: Value = serde_json::from_str(include_str!("../../tests/varying.json")).unwrap();
        for case in cases.as_array().unwrap() {
            let text = |name: &str| case[name].as_str().unwrap();
            let again =
                case["again"].as_array().unwrap().iter().map(|again| again.as_str().unwrap()).collect::<Vec<_>>();
            let outcome = compare(text("before"), text("now"), &again);
            assert_eq!(format!("{outcome:?}").to_lowercase(), text("outcome"), "{case}");
        }
    }

    #[test]
    fn texts_that_have_nothing_in_common_take_no_time() {
        let text = |seed: usize| {
            (0..20_000).map(|word| format!("w{}", (word * 7919 + seed) % 10_007)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(compare(&text(1), &text(2), &[&text(2)]), Outcome::Changed);
        assert_eq!(compare(&text(1), &text(2), &[&text(3)]), Outcome::Same);
    }

    proptest! {
        /// What the hunks leave out is the same in both.
        #[test]
        fn hunks_are_all_that_differs(old in proptest::collection::vec(0..4_u8, 0..30), new in proptest::collection::vec(0..4_u8, 0..30)) {
            let words = |numbers: &[u8]| numbers.iter().map(|number| ["a", "b", "c", "d"][usize::from(*number)]).collect::<Vec<_>>();
            let (old, new) = (words(&old), words(&new));
            let found = hunks(&old, &new);
            let (mut x, mut y) = (0, 0);
            for (old_part, new_part) in found.iter().cloned().chain([(old.len()..old.len(), new.len()..new.len())]) {
                prop_assert_eq!(&old[x..old_part.start], &new[y..new_part.start]);
                (x, y) = (old_part.end, new_part.end);
            }
        }
    }
}
