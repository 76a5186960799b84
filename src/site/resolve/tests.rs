use super::*;

/// A site as a table: files, and directories with a slash at their end.
struct Table<'a> {
    there: &'a [&'a str],
    looked_at: Vec<SitePath>,
}

impl Look for Table<'_> {
    fn look(&mut self, place: &SitePath) -> Option<Standing> {
        self.looked_at.push(place.clone());
        let is = |place: &str| self.there.contains(&place);
        Some(match place.as_str() {
            path if is(path) && path.ends_with('/') => Standing::Directory,
            path if is(path) => Standing::File,
            path if is(&format!("{path}/")) => Standing::Directory,
            _ => Standing::Missing,
        })
    }
}

/// What a URL is answered with, in short: `PLACE`, `PLACE/ listed`, `404 PLACE`, `404`, `301 URL`.
fn answer(there: &[&str], rules: &str, asked: &str, wants_page: bool, is_app: bool) -> String {
    let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
    let Some(url) = SitePath::from_url(path) else { return "no path".into() };
    let redirects = Redirects::parse(rules).0;
    let mut table = Table { there, looked_at: Vec::new() };
    let asked = Asked { url: &url, query, wants_page };
    let found = resolve(&asked, &Conventions { redirects: &redirects, is_app }, &mut table).unwrap();
    match found.answer {
        Answer::File => found.place.to_string(),
        Answer::Listing => format!("{} listed", found.place),
        Answer::NotFoundPage => format!("404 {}", found.place),
        Answer::NotFound => "404".into(),
        Answer::Redirect(Redirection { status, to }) => format!("{status} {to}"),
    }
}

#[track_caller]
fn check(there: &[&str], asked: &str, expected: &str) {
    assert_eq!(answer(there, "", asked, true, false), expected, "{asked} in {there:?}");
}

#[test]
fn a_url_is_a_file_an_index_or_a_listing() {
    check(&["/a.json"], "/a.json", "/a.json");
    check(&[], "/a.json", "404");
    check(&["/", "/index.html"], "/", "/index.html");
    check(&["/", "/a.json"], "/", "/ listed");
    check(&["/", "/d/", "/d/index.html"], "/d/", "/d/index.html");
    check(&["/", "/d/"], "/d/", "/d/ listed");
    check(&["/", "/d/"], "/d", "307 /d/");
    check(&["/", "/d/", "/d/index.html"], "/d?a=1", "307 /d/?a=1");
    check(&["/"], "/d/", "404");
    // A directory is no page.
    check(&["/", "/index.html/"], "/", "/ listed");
    check(&["/", "/d/", "/d/index.html/"], "/d/", "/d/ listed");
}

#[test]
fn pages_need_no_ending() {
    let tree = ["/", "/file.html", "/folder/", "/folder/index.html", "/both.html", "/both/", "/both/index.html"];
    for (asked, expected) in [
        ("/file", "/file.html"),
        ("/file/", "307 /file"),
        ("/file/?a=1", "307 /file?a=1"),
        ("/file.html", "/file.html"),
        ("/folder", "307 /folder/"),
        ("/folder/index.html", "/folder/index.html"),
        ("/both", "/both.html"),
        ("/both/", "/both/index.html"),
    ] {
        check(&tree, asked, expected);
    }
    check(&["/", "/api.html", "/api/"], "/api/", "307 /api");
    check(&["/", "/a", "/a.html"], "/a", "/a");
    check(&["/", "/a"], "/a/", "307 /a");
}

#[test]
fn what_is_missing_is_answered_by_the_nearest_page() {
    let tree = ["/", "/404.html", "/blog/", "/blog/404.html", "/index.html"];
    check(&tree, "/x", "404 /404.html");
    check(&tree, "/blog/x", "404 /blog/404.html");
    check(&tree, "/blog/x/y/", "404 /blog/404.html");
    check(&tree, "/_redirects", "404");
    // Pages alone are answered by others.
    let tree = ["/", "/index.html", "/200.html", "/404.html", "/data/"];
    assert_eq!(answer(&tree, "", "/x", true, false), "/200.html");
    assert_eq!(answer(&tree, "", "/x.js", false, false), "404 /404.html");
    assert_eq!(answer(&tree, "", "/data/", true, false), "/data/ listed");
    let tree = ["/", "/index.html", "/data/"];
    assert_eq!(answer(&tree, "", "/x", true, true), "/index.html");
    assert_eq!(answer(&tree, "", "/x", true, false), "404");
    assert_eq!(answer(&tree, "", "/data", true, true), "/index.html");
    assert_eq!(answer(&tree, "", "/x.json", false, true), "404");
    assert_eq!(answer(&["/"], "", "/x", true, true), "404");
}

#[test]
fn rules_lead_where_they_say() {
    let tree = [
        "/",
        "/file.html",
        "/folder/",
        "/folder/index.html",
        "/both.html",
        "/both/",
        "/both/index.html",
        "/about.html",
        "/news/",
        "/news/1.html",
        "/404.html",
        "/blog/",
        "/blog/404.html",
        "/app.js",
        "/index.html",
        "/photos/",
    ];
    for (rules, asked, expected) in [
        ("/a /about", "/a", "301 /about"),
        ("/a /about", "/a/", "301 /about"),
        ("/a /about", "/a?x=1", "301 /about?x=1"),
        ("/a /about#b", "/a?x=1", "301 /about?x=1#b"),
        ("/a /about?y=2", "/a?x=1", "301 /about?y=2"),
        ("/about /file 301", "/about", "/about.html"),
        ("/about /file 301!", "/about", "301 /file"),
        ("/about /file 301\n/about /both 301!", "/about", "/about.html"),
        ("/blog/* /news/:splat 200", "/blog/1", "/news/1.html"),
        ("/blog/* /news/:splat 200", "/blog/9", "404 /blog/404.html"),
        ("/n/:y/:m /news/:m 302", "/n/2026/1", "302 /news/1"),
        ("/n/:y/:m /news/:m 302", "/n/2026", "404 /404.html"),
        ("/n/:y/:m /news/:m 302", "/n/1/2/3", "404 /404.html"),
        ("/s id=:id /news/:id 301", "/s?id=1", "301 /news/1"),
        ("/s id=:id /news/:id 301", "/s", "404 /404.html"),
        ("/s id=:id /news/:id 301", "/s?u=2&id=1", "301 /news/1?u=2"),
        ("/x /about 404", "/x", "404 /about.html"),
        ("/a /b 200\n/b /file 200", "/a", "404 /404.html"),
        ("/c%C3%A9 /about", "/c%c3%a9", "301 /about"),
        ("/a /b # why", "/a", "301 /b"),
        ("/a /b#why", "/a", "301 /b#why"),
        ("/* /:splat 301!", "/%2F%2Fevil.example", "no path"),
        ("/* https://h.example/:splat 301!", "/a%20b", "301 https://h.example/a%20b"),
        // A listing is none of a host's.
        ("/photos/ /file 302", "/photos/", "302 /file"),
        ("/photos/ /file 302", "/photos", "302 /file"),
        ("/folder /file 302", "/folder", "307 /folder/"),
        ("/x /photos/ 200", "/x", "/photos/ listed"),
        ("/x /folder 200", "/x", "/folder/index.html"),
        ("/x /_redirects 200", "/x", "404 /404.html"),
        ("/x /.env 200", "/x", "404 /404.html"),
        ("/* /missing.html 302", "/y", "302 /missing.html"),
        ("/* /missing.html 302", "/missing.html", "404 /404.html"),
    ] {
        assert_eq!(answer(&tree, rules, asked, true, false), expected, "{asked} by {rules}");
    }
    let app = "/* /index.html 200";
    assert_eq!(answer(&tree, app, "/deep/x", true, false), "/index.html");
    assert_eq!(answer(&tree, app, "/no.js", false, false), "404 /404.html");
    assert_eq!(answer(&tree, app, "/app.js", false, false), "/app.js");
}

#[track_caller]
fn streams(there: &[&str], rules: &str, asked: &str, place: &str, answer: Answer) {
    let redirects = Redirects::parse(rules).0;
    let url = SitePath::from_url(asked).unwrap();
    let asked = Asked { url: &url, query: "", wants_page: false };
    let mut table = Table { there, looked_at: Vec::new() };
    let found = stream(&asked, &Conventions { redirects: &redirects, is_app: false }, &mut table).unwrap();
    assert_eq!((found.place.as_str(), found.answer), (place, answer), "{asked:?}");
}

#[test]
fn a_stream_is_of_what_is_shown() {
    let there = &["/", "/index.html", "/d/", "/a.json", "/about.html"];
    let to_slash = Answer::Redirect(Redirection { status: 307, to: "/d/".into() });
    // But for a directory, whose stream is its listing.
    streams(there, "", "/", "/", Answer::Listing);
    streams(there, "", "/d/", "/d/", Answer::Listing);
    streams(there, "", "/d", "/d", to_slash);
    streams(there, "", "/a.json", "/a.json", Answer::File);
    streams(there, "", "/b.json", "/b.json", Answer::NotFound);
    streams(there, "", "/about", "/about.html", Answer::File);
    streams(there, "/b.json /a.json 200", "/b.json", "/a.json", Answer::File);
    streams(there, "/a.json /about.html 200!", "/a.json", "/about.html", Answer::File);
    streams(there, "/* /index.html 200", "/b.json", "/b.json", Answer::NotFound);
    streams(there, "/x/ /d/ 200", "/x/", "/d/", Answer::Listing);
}

#[test]
fn what_is_not_known_is_not_guessed() {
    struct Nobody;
    impl Look for Nobody {
        fn look(&mut self, _: &SitePath) -> Option<Standing> {
            None
        }
    }
    let redirects = Redirects::default();
    for path in ["/", "/a"] {
        let url = SitePath::from_url(path).unwrap();
        let asked = Asked { url: &url, query: "", wants_page: true };
        assert_eq!(resolve(&asked, &Conventions { redirects: &redirects, is_app: true }, &mut Nobody), None);
    }
}
