use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(content: &str, expected: &str) {
    assert_eq!(one_line(content.as_bytes()).as_deref(), Ok(expected));
}

#[track_caller]
fn refuse(content: &[u8], message: &str, place: Option<(usize, usize)>) {
    assert_eq!(one_line(content), Err(Problem { message: message.into(), place }));
}

#[test]
fn white_space_between_tokens_goes_and_nothing_else() {
    check("{}", "{}");
    check(" [ 1 ,\r\n\t2 ]\n", "[1,2]");
    check("{\n  \"b\": 1,\n  \"a\": 2,\n  \"b\": 3\n}", r#"{"b":1,"a":2,"b":3}"#);
    check(r#"{ "a b" : "c  d" }"#, r#"{"a b":"c  d"}"#);
    check(r#" [ "\" [ " , "\\" , "\\\"" ] "#, r#"["\" [ ","\\","\\\""]"#);
    check("\u{feff}[]", "[]");
    check("\"\u{2028}é\\u00e9\"", "\"\u{2028}é\\u00e9\"");
    check(" true ", "true");
}

#[test]
fn numbers_stay_as_written() {
    let numbers = "[1.0,1e400,-0,12345678901234567890123456789,0.1000000000000000055511151231257827]";
    check(numbers, numbers);
}

#[test]
fn strings_of_all_lengths() {
    for length in 0..40 {
        let text = "x".repeat(length);
        check(&format!("[\"{text}\"]"), &format!("[\"{text}\"]"));
        check(&format!("[\"{text}\\\"{text}\" , 1]"), &format!("[\"{text}\\\"{text}\",1]"));
        for bad in ["\u{1f}", "\n", "\\x", "\\u12g4", "\\u12", "\\"] {
            assert!(one_line(format!("[\"{text}{bad}{text}\"]").as_bytes()).is_err(), "{length} {bad:?}");
        }
        for good in ["\u{7f}", "\u{80}", " ", "!", "#", "[", "]", "\\u12aF", "\u{10ffff}"] {
            check(&format!("[\"{text}{good}{text}\"]"), &format!("[\"{text}{good}{text}\"]"));
        }
    }
}

/// Texts that are nearly JSON: tokens in any order.
fn tokens() -> impl Strategy<Value = String> {
    const TOKENS: [&str; 31] = [
        "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"a\":", "1", "0", "-", ".", "e", "E+", "1.5", "-0.0e-7", "01",
        "true", "false", "null", "nul", " ", "\n", "\r\n", "\t", "\\", "\\u00e9", "\\\"", "\u{1}", "ä",
    ];
    proptest::collection::vec(proptest::sample::select(TOKENS.as_slice()), 0..12).prop_map(|tokens| tokens.concat())
}

/// Values, as text with white space in all places.
fn documents() -> impl Strategy<Value = String> {
    let space = || proptest::sample::select(["", " ", "\n", "\r\n\t  "].as_slice());
    let leaf = prop_oneof![
        any::<f64>().prop_filter("a number", |number| number.is_finite()).prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        proptest::sample::select(["true", "false", "null", "{}", "[ ]", "{\n}"].as_slice()).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 30, 5, move |value| {
        let item = (space(), value, space()).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let member = (space(), any::<String>(), space(), item.clone())
            .prop_map(|(before, key, after, value)| format!("{before}{}{after}:{value}", serde_json::Value::from(key)));
        prop_oneof![
            proptest::collection::vec(item, 1..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(member, 1..5).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_json_is_agreed(text in tokens()) {
        let ours = Scanner::new(&text).document();
        prop_assert_eq!(ours.is_some(), serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
        // No mistake is found in what is right, and looking for one comes to an end.
        let found = mistake::find(&text);
        prop_assert!(ours.is_none() || found.is_none(), "{}: {:?}", text, found);
        prop_assert!(found.is_none_or(|(_, at)| text.is_char_boundary(at)));
    }

    #[test]
    fn documents_keep_their_meaning(text in documents()) {
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let line = Scanner::new(&text).document().unwrap();
        prop_assert!(!line.contains(['\n', '\r']));
        prop_assert_eq!(value(&line), value(&text));
        // On one line, nothing is left to leave out.
        prop_assert_eq!(Scanner::new(&line).document().unwrap(), line);
    }
}

#[test]
fn deep_nesting_costs_no_stack() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    check(&deep, &deep);
}

#[test]
fn problems_have_a_place() {
    refuse(b"", "the file is empty", None);
    refuse(b" \n", "the file is empty", None);
    refuse(b"[1 x]", "a comma is missing here", Some((1, 3)));
    refuse("{\"ä\": \"ö\" ;}".as_bytes(), "expected `,` or `}`", Some((1, 11)));
    refuse(b"[\"a\x01b\"]", "a control character in a text is written \\u0001", Some((1, 4)));
    refuse(b"[\"caf\xe9\"]", "not UTF-8", Some((1, 6)));
    refuse(b"[01]", "invalid number", Some((1, 3)));
    refuse(b"[+1]", "expected value", Some((1, 2)));
    refuse(b"<!doctype html>", "expected value", Some((1, 1)));
}

#[test]
fn mistakes_of_people_have_words() {
    let quotes = "single quotes: names and texts have double quotes";
    let second = "a second document: a .json file has one; name it .ndjson if each line is one";
    for (text, message, place) in [
        ("[1,]", "trailing comma: there is nothing behind it", (1, 3)),
        ("{\n  \"a\": 1,\n  \"b\": 2,\n}\n", "trailing comma: there is nothing behind it", (3, 9)),
        ("{\n  \"a\": 1\n  \"b\": 2\n}\n", "a comma is missing here", (2, 9)),
        ("[\"ä\" \"b\"]", "a comma is missing here", (1, 5)),
        ("[1,,2]", "a comma too many", (1, 4)),
        ("[,1]", "a comma too many", (1, 2)),
        ("{'a': 1}", quotes, (1, 2)),
        ("{\"a\": 'b'}", quotes, (1, 7)),
        ("{\n  \"a\": 1,\n  b: 2\n}", "a name needs double quotes: \"b\"", (3, 3)),
        ("{größe: 2}", "a name needs double quotes: \"größe\"", (1, 2)),
        ("{\"a\": yes}", "a text needs double quotes: \"yes\"", (1, 7)),
        ("// no\n{}", "a comment: JSON has none", (1, 1)),
        ("{\n  \"a\": 1, /* no */ \"b\": 2}", "a comment: JSON has none", (2, 11)),
        ("{\"a\": 1 // no\n}", "a comment: JSON has none", (1, 9)),
        ("{} # no", "a comment: JSON has none", (1, 4)),
        ("[NaN]", "NaN is no JSON: JSON has no such number, write null", (1, 2)),
        ("[1, -Infinity]", "-Infinity is no JSON: JSON has no such number, write null", (1, 5)),
        ("{\"a\": undefined}", "undefined is no JSON: write null", (1, 7)),
        ("{\"a\": True}", "True is no JSON: write true", (1, 7)),
        ("[None]", "None is no JSON: write null", (1, 2)),
        ("{\"a\":1}\n{\"a\":2}\n", second, (2, 1)),
        ("[1] [2]", second, (1, 5)),
        ("[\"a\nb\"]", "this text is not closed: `\"` is missing at its end", (1, 2)),
        ("[\"a", "this text is not closed: `\"` is missing at its end", (1, 2)),
        ("[\"a\tb\"]", "a tab in a text is written \\t", (1, 4)),
        ("{\"a\":1", "this `{` is not closed: `}` is missing at its end", (1, 1)),
        ("{\n  \"a\": [1,\n", "this `[` is not closed: `]` is missing at its end", (2, 8)),
        ("[1]]", "`]` closes nothing", (1, 4)),
        ("{\"a\" 1}", "expected `:` behind the name", (1, 5)),
        ("{\"a\"= 1}", "`=` instead of `:`", (1, 5)),
        ("{\"a\": }", "a value is missing behind the `:`", (1, 6)),
    ] {
        refuse(text.as_bytes(), message, Some(place));
    }
    // Depth costs no stack, and has no limit.
    let deep = "[".repeat(200_000) + "NaN";
    refuse(deep.as_bytes(), "NaN is no JSON: JSON has no such number, write null", Some((1, 200_001)));
}
