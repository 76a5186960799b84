//! Ways around the rules of what may be seen, and by whom.

use std::fs;

use crate::support::Site;

#[test]
fn what_is_hidden_is_hidden_behind_links_too() {
    let site = Site::with(&[
        (".npmrc", "SECRET"),
        (".aws/credentials", "SECRET"),
        ("sub/.cache/a.txt", "SECRET"),
        ("..2026_11_21_09_05_03.123/map.txt", "config"),
        ("index.html", "<p>hi"),
    ]);
    site.shell("ln -s .npmrc a.txt && ln -s .aws aws && ln -s aws/credentials c && ln -s ../.aws sub/aws && ln -s sub/.cache cache");
    site.shell("ln -s ..2026_11_21_09_05_03.123 ..data && ln -s ..data/map.txt map.txt");
    let server = site.serve();
    for path in ["/a.txt", "/aws/credentials", "/c", "/sub/aws/credentials", "/cache/a.txt"] {
        assert_eq!(server.get(path).status, 404, "{path}");
        assert_eq!(server.follow(path).expect_event("removed")["path"], path);
        assert_eq!(server.follow(&format!("{path}?as=lines")).expect_event("removed")["path"], path);
    }
    for path in ["/aws/", "/cache/"] {
        assert_eq!(server.get(path).status, 404, "{path}");
        assert_eq!(server.follow(path).expect_event("removed")["path"], path);
    }
    let wish = r#"{"reads":{"/a.txt":null,"/aws/credentials":null}}"#;
    let page = server.follow_with("POST", "/_savecast/events", &[], wish);
    assert_eq!([page.next().event, page.next().event], ["removed", "removed"]);
    fs::remove_file(site.path("index.html")).expect("a file");
    let names = server.follow("/").expect_event("message");
    let names = names.as_array().expect("a listing").iter().map(|entry| entry["name"].as_str().expect("a name"));
    assert_eq!(names.collect::<Vec<_>>(), ["map.txt", "sub"]);

    assert_eq!(server.get("/map.txt").text, "config");
    let map = server.follow("/map.txt");
    map.expect("config");
    site.write("..2026_11_21_09_05_04.456/map.txt", "new");
    site.shell("ln -s ..2026_11_21_09_05_04.456 ..data_tmp && mv -T ..data_tmp ..data");
    map.expect("new");
    // What becomes hidden is gone.
    site.shell("ln -sfn .npmrc map.txt");
    map.expect_event("removed");
}

#[test]
fn what_reaches_the_terminal_is_one_line_of_letters() {
    let page = "<meta http-equiv=Content-Security-Policy content=\"script-src 'none\x1b[31m\u{202e}'\">";
    let site = Site::with(&[("a\nsavecast: all is well\x1b[2J\u{202e}.json", "{"), ("page.html", page)]);
    site.shell("mkdir -p \"$(printf 'b\\033[2J')\" && printf '\\377\\376<' > \"$(printf 'b\\033[2J')/c.html\"");
    let server = site.serve();
    let broken = server.follow("/a%0Asavecast:%20all%20is%20well%1B%5B2J%E2%80%AE.json");
    broken.expect_event("problem");
    server.expect_complaint(r"/a\nsavecast: all is well\u{1b}[2J\u{202e}.json");
    server.get("/page.html");
    server.expect_complaint(r"script-src 'none\u{1b}[31m\u{202e}'");
    server.get("/b%1B%5B2J/c.html");
    server.expect_complaint(r"/b\u{1b}[2J/c.html is UTF-16");
}
