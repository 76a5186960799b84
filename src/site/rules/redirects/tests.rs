use super::*;

#[test]
fn each_line_that_makes_no_sense_is_named() {
    use RemarkKind::Broken;
    use RemarkKind::Differs;
    use RemarkKind::Unsupported;
    for (text, line, kind, words) in [
        ("/p https://h.example/ 200", 1, Unsupported, "--proxy /p=https://h.example/"),
        ("/a /b 418", 1, Broken, "418"),
        ("/a", 1, Broken, "missing"),
        ("/a/*/* /b 301", 1, Broken, "one *"),
        ("/a /b 301 Country=de", 1, Unsupported, "Country"),
        ("/a /b Country=de", 1, Unsupported, "Country"),
        ("/a/* /a/:splat 301", 1, Broken, "itself"),
        ("/a/ /a 301", 1, Broken, "slash"),
        ("/a /a 301", 1, Broken, "itself"),
        ("\n# x\n/a /b 301\n/b /a 301", 4, Broken, "circle"),
        ("/a /:x 301", 1, Broken, ":x"),
        ("a /b 301", 1, Broken, "begins with /"),
        ("https://a.example/* /b 301", 1, Unsupported, "domains"),
        ("/a //evil.example 301", 1, Broken, "http://"),
        ("/a /b 301 more", 1, Broken, "too much"),
        ("/a /b", 1, Differs, "302"),
        ("/a /b 308", 1, Differs, "Cloudflare"),
        ("/a /b 301!", 1, Differs, "Netlify"),
        ("/a/*/c /b 301", 1, Differs, "Cloudflare"),
    ] {
        let (redirects, remarks) = Redirects::parse(text);
        let [remark] = remarks.as_slice() else { panic!("{text}: {remarks:?}") };
        assert_eq!((remark.line, remark.kind), (line, kind), "{text}: {remark:?}");
        assert!(remark.message.contains(words), "{text}: {remark:?}");
        assert_eq!(redirects.rules.iter().any(|rule| rule.line == line), kind == Differs, "{text}");
    }
    let fine = "/a /b 301 # why\n\n/* /index.html 200\n/m /maintenance.html 302\n/x https://h.example:8080/:splat 301";
    assert_eq!(Redirects::parse(fine).1.len(), 1, "of the last line");
}

#[test]
fn the_first_rule_wins() {
    let (redirects, _) = Redirects::parse("/b /1 301\n/* /2 301\n/a /3 301\n/a /4 301");
    for (path, expected) in [("/b", "/1"), ("/a", "/2"), ("/c", "/2")] {
        assert_eq!(redirects.find(path, "").unwrap().to, expected);
    }
    let (redirects, _) = Redirects::parse("/a x=1 /1 301\n/a /2 301\n/* /3 301");
    for (query, expected) in [("x=1", "/1"), ("x=2", "/2?x=2"), ("", "/2")] {
        assert_eq!(redirects.find("/a", query).unwrap().to, expected);
    }
}

#[test]
fn there_may_be_ten_thousand() {
    use std::fmt::Write as _;
    let text = (0..RULES + 10).fold(String::new(), |mut text, number| {
        writeln!(text, "/{number} /to/{number} 301").unwrap();
        text
    });
    let (redirects, remarks) = Redirects::parse(&text);
    assert_eq!((redirects.rules.len(), remarks.len()), (RULES, 1));
    assert_eq!(redirects.find("/9999", "").unwrap().to, "/to/9999");
}

#[test]
fn rules_for_other_countries_hide_no_other_rule() {
    let text = "/a /de Country=de\n".repeat(5 * REMARKS) + "/a /b 301\n";
    let (redirects, remarks) = Redirects::parse(&text);
    assert_eq!(redirects.find("/a", "").unwrap().to, "/b");
    assert_eq!(remarks.len(), REMARKS);
    let (redirects, remarks) = Redirects::parse(&("x\n".repeat(5 * REMARKS) + "/a /b 301\n"));
    assert!(redirects.is_empty() && remarks.len() == REMARKS + 1);
}
